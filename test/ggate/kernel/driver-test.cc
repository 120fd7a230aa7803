// The driver on the fake kernel: the code that the addon is made of, with owners and applications as threads.
#include "check.h"
#include "disk.h"
#include "driver.h"
#include "fake-kernel.h"

#include <atomic>
#include <csignal>
#include <cstring>
#include <algorithm>
#include <random>
#include <set>
#include <unistd.h>

using namespace ggate;

namespace {

constexpr int64_t kMedia = 8 << 20;
constexpr Geometry kGeometry = {kMedia, 512};

FakeKernel::Options Quiet() {
  FakeKernel::Options options;
  options.taste_reads = 0;
  return options;
}

// The table of a process on the fake kernel. `Kill` ends the process: its sleepers leave, its calls do nothing any more.
class Process : public System, public Caller {
 public:
  explicit Process(FakeKernel& kernel) : kernel_(kernel) {}

  int Open(const char* path, bool writable) override { return kernel_.Open(path, writable); }
  void Close(int descriptor) override { kernel_.Close(descriptor); }
  int Ioctl(int descriptor, unsigned long request, void* argument) override {
    if (!alive_) return error::kBadDescriptor;
    const int injected = request == failing_request_ ? failing_with_.load() : 0;
    if (injected != 0) return injected;
    calls_++;
    const int result = kernel_.Ioctl(descriptor, request, argument, *this);
    calls_--;
    return alive_ ? result : error::kBadDescriptor;
  }
  bool Exists(const char* path) override { return kernel_.Exists(path); }
  bool HasModule(const char* name) override { return kernel_.HasModule(name); }
  int LoadModule(const char* file) override { return kernel_.LoadModule(file); }

  bool Alive() override { return alive_; }
  // As with a real process, all of its calls have ended when it is gone.
  void Kill() {
    alive_ = false;
    while (calls_ > 0) {
      kernel_.ProcessesEnded();
      std::this_thread::yield();
    }
  }
  void FailWith(unsigned long request, int error) {
    failing_with_ = error;
    failing_request_ = request;
  }

 private:
  FakeKernel& kernel_;
  std::atomic<bool> alive_{true};
  std::atomic<int> calls_{0};
  std::atomic<unsigned long> failing_request_{0};
  std::atomic<int> failing_with_{0};
};

// A process that will be killed: the threads of its driver are left behind, and may look at it as long as we run.
Process& MortalProcess(FakeKernel& kernel) {
  static auto& processes = *new std::vector<std::unique_ptr<Process>>();
  processes.push_back(std::make_unique<Process>(kernel));
  return *processes.back();
}

// The owner of a driver: a thread that keeps a disk in memory and answers in batches, in any order.
class Owner {
 public:
  struct Options {
    std::string name = "hast/a";
    Geometry geometry = kGeometry;
    Geometry left = {};
    unsigned slots = 256;
    size_t buffer_bytes = 128 << 10;
    // Requests are held until `Release`.
    bool holds = false;
  };

  Owner(Process& process, std::vector<uint8_t>& medium, Options options) : medium_(medium), holds_(options.holds) {
    Driver::Options driver;
    driver.system = &process;
    driver.control = OpenControl(process);
    CHECK(driver.control >= 0);
    driver.name = options.name;
    driver.geometry = options.geometry;
    driver.left = options.left;
    driver.info = "test";
    driver.slots = options.slots;
    driver.buffer_bytes = options.buffer_bytes;
    driver.wake = [shared = shared_] {
      std::lock_guard<std::mutex> lock(shared->mutex);
      shared->woken = true;
      shared->changed.notify_all();
    };
    driver_ = Driver::Start(driver);
    thread_ = std::thread([this] { Run(); });
  }

  ~Owner() {
    Close();
    thread_.join();
  }

  // Asks for the end; it has come when `phase` is kClosed.
  void Close() {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    close_ = true;
    shared_->changed.notify_all();
  }

  // Does nothing any more, as the owner in a process that was killed.
  void Abandon() {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    abandoned_ = true;
    shared_->changed.notify_all();
  }

  void Release() {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    holds_ = false;
    shared_->woken = true;
    shared_->changed.notify_all();
  }

  Driver::State state() { return driver_->state(); }
  bool Is(Phase phase) { return state().phase == phase; }
  int held() { return held_count_; }
  int served() { return served_; }
  // Every command that came to the owner, counted.
  std::atomic<int> commands[16] = {};

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    bool woken = true;
  };

  void Run() {
    std::mt19937 random(42);
    bool closed = false;
    std::vector<uint32_t> held;
    for (;;) {
      bool wants_end;
      bool holds;
      {
        std::unique_lock<std::mutex> lock(shared_->mutex);
        shared_->changed.wait(lock, [&] { return shared_->woken || abandoned_ || (close_ && !closed); });
        if (abandoned_) return;
        shared_->woken = false;
        wants_end = close_;
        holds = holds_;
      }
      uint32_t slots[16];
      std::vector<Answer> answers;
      for (size_t count; (count = driver_->Take(slots, 16)) > 0;) held.insert(held.end(), slots, slots + count);
      held_count_ = static_cast<int>(held.size());
      if (!holds) {
        std::shuffle(held.begin(), held.end(), random);
        for (const uint32_t slot : held) answers.push_back({slot, Execute(driver_->slot(slot))});
        held.clear();
        driver_->Answer(answers.data(), answers.size());
      }
      if (wants_end && !closed) {
        closed = true;
        driver_->Close();
      }
      if (driver_->state().phase == Phase::kClosed) return;
    }
  }

  int Execute(const Slot& slot) {
    commands[slot.command]++;
    served_++;
    uint8_t* const place = medium_.data() + slot.offset;
    if (slot.command == kRead) std::memcpy(slot.buffer->data(), place, slot.length);
    if (slot.command == kWrite) std::memcpy(place, slot.buffer->data(), slot.length);
    if (slot.command == kDelete) std::memset(place, 0, slot.length);
    return 0;
  }

  std::vector<uint8_t>& medium_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::shared_ptr<Driver> driver_;
  bool close_ = false;
  bool abandoned_ = false;
  bool holds_;
  std::atomic<int> held_count_{0};
  std::atomic<int> served_{0};
  std::thread thread_;
};

struct Asked {
  std::atomic<int> outcome{-1};
  std::atomic<int> times{0};

  void Submit(FakeKernel& kernel, uint32_t command, int64_t offset, int64_t length, uint8_t fill = 0) {
    Bio bio;
    bio.command = command;
    bio.offset = offset;
    bio.length = length;
    if (command == kWrite) bio.data.assign(static_cast<size_t>(length), fill);
    bio.done = [this](int error, Bio&) {
      times++;
      outcome = error;
    };
    kernel.Submit("hast/a", std::move(bio));
  }
};

// Applications: each writes and reads its own part of the device, many requests at a time, and compares.
class Load {
 public:
  explicit Load(FakeKernel& kernel, int threads = 4) : kernel_(kernel) {
    const int64_t part = kMedia / threads;
    for (int i = 0; i < threads; i++) threads_.emplace_back([this, i, part] { Run(i, i * part, part); });
  }

  // What went wrong; empty: nothing.
  std::string Stop() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    return wrong_;
  }

  // From now on requests may fail: the device is removed.
  void ExpectEnd() { ends_ = true; }
  int rounds() { return rounds_; }

 private:
  static constexpr int kDepth = 16;

  void Run(int seed, int64_t start, int64_t part) {
    std::mt19937 random(seed);
    const int64_t piece = part / kDepth;
    std::vector<uint8_t> values(kDepth, 0);
    std::vector<int64_t> lengths(kDepth, 0);
    while (!stop_) {
      // The patterns of fio: small and random, large and in sequence.
      const bool is_large = random() % 4 == 0;
      std::vector<std::unique_ptr<Asked>> asked;
      std::set<int> touched;
      for (int i = 0; i < kDepth; i++) {
        const int64_t length = is_large ? piece : 512 * (1 + random() % 16);
        values[i] = static_cast<uint8_t>(random());
        lengths[i] = length;
        asked.push_back(std::make_unique<Asked>());
        const bool deletes = random() % 16 == 0;
        if (deletes) values[i] = 0;
        asked.back()->Submit(kernel_, deletes ? kDelete : kWrite, start + i * piece, length, values[i]);
      }
      asked.push_back(std::make_unique<Asked>());
      asked.back()->Submit(kernel_, kFlush, 0, 0);
      for (auto& one : asked) {
        while (one->outcome < 0) std::this_thread::yield();
        if (one->times != 1) Wrong("a request was answered twice");
        if (one->outcome != 0 && !ends_) Wrong("a request failed with " + std::to_string(one->outcome));
      }
      for (int i = 0; i < kDepth && !ends_; i++) {
        std::vector<uint8_t> target(static_cast<size_t>(lengths[i]));
        if (kernel_.ReadNow("hast/a", start + i * piece, target) != 0) continue;
        for (const uint8_t byte : target) {
          if (byte != values[i]) return Wrong("a read gives something else than was written");
        }
      }
      rounds_++;
    }
  }

  void Wrong(const std::string& what) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!ends_) wrong_ = what;
  }

  FakeKernel& kernel_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> ends_{false};
  std::atomic<int> rounds_{0};
  std::mutex mutex_;
  std::string wrong_;
  std::vector<std::thread> threads_;
};

}  // namespace

TEST("driver: creates the provider, serves its taste reads, reads, writes, deletes, flushes; removes it at the end") {
  FakeKernel kernel((FakeKernel::Options()));
  Process process(kernel);
  std::vector<uint8_t> medium(kMedia);
  {
    Owner owner(process, medium, {});
    EVENTUALLY(owner.Is(Phase::kServing));
    EQUAL(kernel.Look("hast/a").info, "test");
    EVENTUALLY(owner.commands[kRead] == 4);
    const std::vector<uint8_t> data(300 << 10, 7);
    EQUAL(kernel.WriteNow("hast/a", 4096, data), 0);
    std::vector<uint8_t> target(300 << 10);
    EQUAL(kernel.ReadNow("hast/a", 4096, target), 0);
    CHECK(target == data);
    Asked deleted, flushed;
    deleted.Submit(kernel, kDelete, 0, kMedia);
    EVENTUALLY(deleted.outcome == 0);
    EQUAL(int(medium[4096]), 0);
    flushed.Submit(kernel, kFlush, 0, 0);
    EVENTUALLY(flushed.outcome == 0);
    owner.Close();
    EVENTUALLY(owner.Is(Phase::kClosed));
    EQUAL(owner.state().error, 0);
  }
  EQUAL(kernel.Look("hast/a").number, -1);
  EQUAL(kernel.Panic(), "");
}

TEST("driver: loads the module when it is absent, and says when it cannot") {
  FakeKernel::Options options = Quiet();
  options.has_module = false;
  FakeKernel kernel(options);
  Process process(kernel);
  EQUAL(Remove(process, "hast/a"), 0);
  CHECK(!kernel.HasModule(kModuleName));
  CHECK(OpenControl(process) >= 0);
  CHECK(kernel.HasModule(kModuleName));
  options.has_module_file = false;
  FakeKernel bare(options);
  Process there(bare);
  EQUAL(OpenControl(there), -error::kNoEntry);
}

TEST("driver: a refused CREATE is a failure with its errno; a name without a node is refused before") {
  FakeKernel kernel(Quiet());
  Process process(kernel);
  std::vector<uint8_t> medium(kMedia);
  Owner::Options odd;
  odd.geometry.sector_size = 500;
  Owner owner(process, medium, odd);
  EVENTUALLY(owner.Is(Phase::kFailed));
  EQUAL(owner.state().error, error::kInvalid);
  Owner::Options names;
  names.name = "hast/" + std::string(59, 'x');
  Owner longer(process, medium, names);
  EVENTUALLY(longer.Is(Phase::kFailed));
  EQUAL(longer.state().error, error::kNameTooLong);
  EQUAL(kernel.Look(names.name).number, -1);
}

TEST("driver: buffers grow for requests larger than they are") {
  FakeKernel::Options options = Quiet();
  options.max_io_bytes = 1 << 20;
  FakeKernel kernel(options);
  Process process(kernel);
  std::vector<uint8_t> medium(kMedia);
  Owner::Options small;
  small.buffer_bytes = 4096;
  small.slots = 4;
  Owner owner(process, medium, small);
  EVENTUALLY(owner.Is(Phase::kServing));
  for (const size_t bytes : {512u, 8192u, 1u << 20, 512u, 65536u, 3u << 20}) {
    std::vector<uint8_t> data(bytes, static_cast<uint8_t>(bytes >> 9));
    EQUAL(kernel.WriteNow("hast/a", 512, data), 0);
    std::vector<uint8_t> target(bytes);
    EQUAL(kernel.ReadNow("hast/a", 512, target), 0);
    CHECK(target == data);
  }
}

TEST("driver: unknown commands are answered EOPNOTSUPP without troubling the owner") {
  FakeKernel kernel(Quiet());
  Process process(kernel);
  std::vector<uint8_t> medium(kMedia);
  Owner owner(process, medium, {});
  EVENTUALLY(owner.Is(Phase::kServing));
  Asked speedup;
  speedup.Submit(kernel, kSpeedup, 0, 0);
  EVENTUALLY(speedup.outcome == error::kNotSupported);
  EQUAL(owner.commands[kSpeedup], 0);
}

TEST("driver: more requests than slots wait in the kernel") {
  FakeKernel kernel(Quiet());
  Process process(kernel);
  std::vector<uint8_t> medium(kMedia);
  Owner::Options few;
  few.slots = 8;
  few.holds = true;
  Owner owner(process, medium, few);
  EVENTUALLY(owner.Is(Phase::kServing));
  std::vector<std::unique_ptr<Asked>> asked;
  for (int i = 0; i < 100; i++) {
    asked.push_back(std::make_unique<Asked>());
    asked.back()->Submit(kernel, kWrite, i * 4096, 4096, static_cast<uint8_t>(i));
  }
  EVENTUALLY(owner.held() == 8);
  EQUAL(kernel.Look("hast/a").in_queue, 92u);
  EQUAL(kernel.Look("hast/a").out_queue, 8u);
  owner.Release();
  for (auto& one : asked) EVENTUALLY(one->outcome == 0);
  for (int i = 0; i < 100; i++) EQUAL(int(medium[i * 4096]), i);
}

TEST("driver: what is outstanding at the end fails with ENXIO, what was answered has reached its client") {
  FakeKernel kernel(Quiet());
  Process process(kernel);
  std::vector<uint8_t> medium(kMedia);
  Asked before, outstanding[20];
  {
    Owner owner(process, medium, {});
    EVENTUALLY(owner.Is(Phase::kServing));
    before.Submit(kernel, kWrite, 0, 512, 1);
    EVENTUALLY(before.outcome == 0);
  }
  Owner::Options holding;
  holding.holds = true;
  holding.slots = 8;
  Owner owner(process, medium, holding);
  EVENTUALLY(owner.Is(Phase::kServing));
  for (auto& one : outstanding) one.Submit(kernel, kRead, 0, 512);
  EVENTUALLY(owner.held() == 8);
  owner.Close();
  for (auto& one : outstanding) EVENTUALLY(one.outcome == error::kNoDevice);
  EVENTUALLY(owner.Is(Phase::kClosed));
}

TEST("driver: a provider that somebody else removes is a failure with ENXIO, and closing removes no other one") {
  for (const int release : {12, 13}) {
    FakeKernel::Options options = Quiet();
    options.release = release;
    FakeKernel kernel(options);
    Process process(kernel), other(kernel);
    std::vector<uint8_t> medium(kMedia);
    Owner owner(process, medium, {});
    EVENTUALLY(owner.Is(Phase::kServing));
    EQUAL(Remove(other, "hast/a"), 0);
    EVENTUALLY(owner.Is(Phase::kFailed));
    EQUAL(owner.state().error, error::kNoDevice);
    // Another one gets the unit's number, and the name.
    Owner successor(other, medium, {});
    EVENTUALLY(successor.Is(Phase::kServing));
    EQUAL(kernel.Look("hast/a").number, 0);
    owner.Close();
    EVENTUALLY(owner.Is(Phase::kClosed));
    EQUAL(kernel.WriteNow("hast/a", 0, std::vector<uint8_t>(512, 9)), 0);
    EQUAL(successor.served(), 1);
  }
}

TEST("driver: errors that nobody can explain are failures, with the provider removed at the end") {
  struct Case {
    unsigned long request;
    int error;
    int told;
  };
  for (const Case& wrong : {Case{kStartRequest, error::kFault, error::kFault},
                            Case{kStartRequest, 99, 99},
                            Case{kDoneRequest, error::kFault, error::kFault},
                            Case{kDoneRequest, error::kNoEntry, error::kNoDevice}}) {
    FakeKernel kernel(Quiet());
    Process process(kernel);
    std::vector<uint8_t> medium(kMedia);
    Owner owner(process, medium, {});
    EVENTUALLY(owner.Is(Phase::kServing));
    Asked asked[4];
    process.FailWith(wrong.request, wrong.error);
    for (auto& one : asked) one.Submit(kernel, kRead, 0, 512);
    EVENTUALLY(owner.Is(Phase::kFailed));
    EQUAL(owner.state().error, wrong.told);
    process.FailWith(0, 0);
    if (wrong.told == error::kNoDevice) EQUAL(Remove(process, "hast/a"), 0);
    owner.Close();
    EVENTUALLY(owner.Is(Phase::kClosed));
    EQUAL(kernel.Look("hast/a").number, -1);
  }
}

TEST("driver: a provider that cannot be removed does not hold up the end") {
  // Its receivers live as long as the process.
  static FakeKernel& kernel = *new FakeKernel(Quiet());
  static Process& process = *new Process(kernel);
  std::vector<uint8_t> medium(kMedia);
  {
    Owner owner(process, medium, {});
    EVENTUALLY(owner.Is(Phase::kServing));
    process.FailWith(kDestroyRequest, error::kBusy);
    owner.Close();
    EVENTUALLY(owner.Is(Phase::kClosed));
    EQUAL(owner.state().error, error::kBusy);
  }
  process.FailWith(0, 0);
  EQUAL(Remove(process, "hast/a"), 0);
}

TEST("takeover: what a dead process had not finished is served by the next one, nothing twice") {
  FakeKernel kernel(Quiet());
  Process& first = MortalProcess(kernel);
  Process second(kernel);
  std::vector<uint8_t> medium(kMedia);
  Asked asked[12];
  Owner::Options holding;
  holding.holds = true;
  holding.slots = 8;
  Owner dead(first, medium, holding);
  EVENTUALLY(dead.Is(Phase::kServing));
  for (int i = 0; i < 12; i++) asked[i].Submit(kernel, kWrite, i * 512, 512, static_cast<uint8_t>(i + 1));
  EVENTUALLY(dead.held() == 8);
  first.Kill();
  const Geometry left = GeometryOf(second, "hast/a");
  CHECK(left == kGeometry);
  Owner::Options next;
  next.left = left;
  Owner owner(second, medium, next);
  EVENTUALLY(owner.Is(Phase::kServing));
  CHECK(owner.state().origin == Origin::kRecovered);
  for (auto& one : asked) EVENTUALLY(one.outcome == 0);
  for (int i = 0; i < 12; i++) {
    EQUAL(asked[i].times, 1);
    EQUAL(int(medium[i * 512]), i + 1);
  }
  EQUAL(owner.served(), 12);
  EQUAL(kernel.Doubled(), 0);
  dead.Abandon();
}

TEST("takeover: a provider of another size, or one that nobody may look at, is removed and made anew") {
  for (const Geometry left : {Geometry{kMedia / 2, 512}, Geometry{kMedia, 4096}, Geometry{}}) {
    FakeKernel::Options options = Quiet();
    options.node_lingers = std::chrono::milliseconds(20);
    FakeKernel kernel(options);
    Process& first = MortalProcess(kernel);
    Process second(kernel);
    std::vector<uint8_t> medium(kMedia);
    Asked asked;
    Owner::Options other;
    if (left.media_size != 0) other.geometry = left;
    other.holds = true;
    Owner dead(first, medium, other);
    EVENTUALLY(dead.Is(Phase::kServing));
    asked.Submit(kernel, kWrite, 0, 4096, 1);
    EVENTUALLY(dead.held() == 1);
    first.Kill();
    Owner::Options next;
    next.left = left;
    Owner owner(second, medium, next);
    EVENTUALLY(owner.Is(Phase::kServing));
    CHECK(owner.state().origin == Origin::kReplaced);
    EQUAL(asked.outcome, error::kNoDevice);
    EQUAL(kernel.Look("hast/a").media_size, kMedia);
    EQUAL(owner.served(), 0);
    dead.Abandon();
  }
}

TEST("load: many applications, small and large requests, interrupted all the time") {
  for (const int release : {12, 13}) {
    FakeKernel::Options options = Quiet();
    options.release = release;
    FakeKernel kernel(options);
    Process process(kernel);
    std::vector<uint8_t> medium(kMedia);
    Owner::Options few;
    few.slots = 24;
    few.buffer_bytes = 16 << 10;
    Owner owner(process, medium, few);
    EVENTUALLY(owner.Is(Phase::kServing));
    std::atomic<bool> stop{false};
    std::thread storm([&] {
      // The second kind of storm: signals to the process, whose handlers run in no thread of the driver.
      struct sigaction ignored = {};
      ignored.sa_handler = [](int) {};
      sigaction(SIGUSR1, &ignored, nullptr);
      while (!stop) {
        kernel.InterruptSleepers();
        kill(getpid(), SIGUSR1);
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    });
    Load load(kernel);
    EVENTUALLY(load.rounds() >= 40);
    EQUAL(load.Stop(), "");
    stop = true;
    storm.join();
    EQUAL(kernel.Doubled(), 0);
    EQUAL(kernel.Panic(), "");
    CHECK(owner.Is(Phase::kServing));
  }
}

TEST("load: processes that die again and again lose nothing and answer nothing twice") {
  FakeKernel kernel(Quiet());
  std::vector<uint8_t> medium(kMedia);
  Process* process = nullptr;
  std::unique_ptr<Owner> owner;
  const auto begin = [&] {
    process = &MortalProcess(kernel);
    Owner::Options options;
    options.left = GeometryOf(*process, "hast/a");
    options.slots = 32;
    owner = std::make_unique<Owner>(*process, medium, options);
    EVENTUALLY(owner->Is(Phase::kServing));
  };
  begin();
  Load load(kernel, 2);
  for (int death = 0; death < 12; death++) {
    const int rounds = load.rounds();
    EVENTUALLY(load.rounds() > rounds + 2);
    // Its disk works have ended, too: nothing of the dead writes after the next one has begun.
    process->Kill();
    owner->Abandon();
    owner.reset();
    begin();
    CHECK(owner->state().origin == Origin::kRecovered);
  }
  EQUAL(load.Stop(), "");
  EQUAL(kernel.Doubled(), 0);
  owner->Close();
  EVENTUALLY(owner->Is(Phase::kClosed));
}

TEST("load: removed by its owner and by others in the middle of it, again and again") {
  FakeKernel kernel((FakeKernel::Options()));
  std::vector<uint8_t> medium(kMedia);
  Process process(kernel), other(kernel);
  for (int round = 0; round < 20; round++) {
    Owner owner(process, medium, {});
    EVENTUALLY(owner.Is(Phase::kServing));
    Load load(kernel, 2);
    EVENTUALLY(load.rounds() > 0);
    load.ExpectEnd();
    if (round % 2 == 0) {
      EQUAL(Remove(other, "hast/a"), 0);
      EVENTUALLY(owner.Is(Phase::kFailed));
    }
    owner.Close();
    EVENTUALLY(owner.Is(Phase::kClosed));
    EQUAL(load.Stop(), "");
  }
  EQUAL(kernel.Doubled(), 0);
}

TEST("disks: sizes, flush and delete through the same table") {
  FakeKernel kernel(Quiet());
  Process process(kernel);
  kernel.AddDisk("/dev/ada0", 1 << 30, 4096);
  kernel.AddDisk("/dev/md0", 1 << 20, 512, error::kNotSupported);
  kernel.AddFile("/tmp/file");
  const int disk = process.Open("/dev/ada0", true);
  int64_t media_size = 0;
  uint32_t sector_size = 0;
  EQUAL(DiskMediaSize(process, disk, &media_size), 0);
  EQUAL(DiskSectorSize(process, disk, &sector_size), 0);
  EQUAL(media_size, 1 << 30);
  EQUAL(sector_size, 4096u);
  EQUAL(DiskFlush(process, disk), 0);
  EQUAL(DiskDelete(process, disk, 4096, 8192), 0);
  EQUAL(DiskDelete(process, disk, 512, 8192), error::kInvalid);
  const auto deleted = kernel.Deleted("/dev/ada0");
  EQUAL(deleted.size(), 1u);
  EQUAL(deleted[0].offset, 4096);
  EQUAL(deleted[0].length, 8192);
  const int memory = process.Open("/dev/md0", true);
  EQUAL(DiskFlush(process, memory), error::kNotSupported);
  EQUAL(DiskDelete(process, memory, 0, 512), error::kNotSupported);
  const int file = process.Open("/tmp/file", true);
  EQUAL(DiskMediaSize(process, file, &media_size), error::kNotThisDevice);
  EQUAL(DiskFlush(process, file), error::kNotThisDevice);
}
