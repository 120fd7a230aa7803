// What core/spec/integration.md section 6 says of the kernel, asked of the fake one.
#include "check.h"
#include "fake-kernel.h"

#include <atomic>
#include <cstring>

using namespace ggate;

namespace {

constexpr int64_t kMedia = 8 << 20;
constexpr uint32_t kSector = 512;

FakeKernel::Options Quiet() {
  FakeKernel::Options options;
  options.taste_reads = 0;
  return options;
}

// A program with the control device open.
struct Program {
  FakeKernel& kernel;
  Caller caller;
  int control;

  explicit Program(FakeKernel& in) : kernel(in), control(in.Open(kControlPath, true)) {}

  int Call(unsigned long request, void* argument) { return kernel.Ioctl(control, request, argument, caller); }

  static Create NewCreate(const char* name) {
    Create create = {};
    create.version = kVersion;
    create.media_size = kMedia;
    create.sector_size = kSector;
    create.unit = kUnitByName;
    std::strncpy(create.name, name, sizeof(create.name) - 1);
    return create;
  }

  int Make(const char* name) {
    Create create = NewCreate(name);
    EQUAL(Call(kCreateRequest, &create), 0);
    return create.unit;
  }

  static Io NewIo(int unit, std::vector<uint8_t>& buffer) {
    Io io = {};
    io.version = kVersion;
    io.unit = unit;
    io.length = static_cast<int64_t>(buffer.size());
    io.data = reinterpret_cast<uint64_t>(buffer.data());
    return io;
  }

  Io Start(int unit, std::vector<uint8_t>& buffer) {
    Io io = NewIo(unit, buffer);
    EQUAL(Call(kStartRequest, &io), 0);
    return io;
  }

  int Done(const Io& started, int error, std::vector<uint8_t>& buffer) {
    Io io = NewIo(started.unit, buffer);
    io.seq = started.seq;
    io.error = error;
    return Call(kDoneRequest, &io);
  }

  int Destroy(const char* name, bool force) {
    struct Destroy destroy = {};
    destroy.version = kVersion;
    destroy.unit = kUnitByName;
    destroy.force = force ? 1 : 0;
    std::strncpy(destroy.name, name, sizeof(destroy.name) - 1);
    return Call(kDestroyRequest, &destroy);
  }

  int Cancel(const char* name, uint64_t seq, int* unit = nullptr) {
    struct Cancel cancel = {};
    cancel.version = kVersion;
    cancel.unit = kUnitByName;
    cancel.seq = seq;
    std::strncpy(cancel.name, name, sizeof(cancel.name) - 1);
    const int result = Call(kCancelRequest, &cancel);
    if (unit != nullptr) *unit = cancel.unit;
    return result;
  }
};

// A request whose end is remembered.
struct Asked {
  std::atomic<int> outcome{-1};
  std::vector<uint8_t> data;

  void Submit(FakeKernel& kernel, const char* name, uint32_t command, int64_t offset, int64_t length,
              uint8_t fill = 0) {
    Bio bio;
    bio.command = command;
    bio.offset = offset;
    bio.length = length;
    if (command == kWrite) bio.data.assign(static_cast<size_t>(length), fill);
    bio.done = [this](int error, Bio& done) {
      data = done.data;
      outcome = error;
    };
    kernel.Submit(name, std::move(bio));
  }
};

}  // namespace

TEST("control: there is none without the module, which can be loaded once, and unloaded while no unit exists") {
  FakeKernel::Options options = Quiet();
  options.has_module = false;
  FakeKernel kernel(options);
  EQUAL(kernel.Open(kControlPath, true), -error::kNoEntry);
  CHECK(!kernel.HasModule(kModuleName));
  EQUAL(kernel.LoadModule("something"), error::kNoEntry);
  EQUAL(kernel.LoadModule(kModuleFile), 0);
  EQUAL(kernel.LoadModule(kModuleFile), error::kExists);
  CHECK(kernel.HasModule(kModuleName));
  Program program(kernel);
  program.Make("hast/a");
  EQUAL(kernel.UnloadModule(kModuleFile), error::kBusy);
  EQUAL(program.Destroy("hast/a", false), 0);
  EQUAL(kernel.UnloadModule(kModuleFile), 0);
}

TEST("ioctl: an unknown request is ENOTTY, another version EINVAL, a strange descriptor EBADF") {
  FakeKernel kernel(Quiet());
  Program program(kernel);
  Create create = Program::NewCreate("hast/a");
  EQUAL(program.Call(InOut('m', 6, 56), &create), error::kNotThisDevice);
  create.version = 2;
  EQUAL(program.Call(kCreateRequest, &create), error::kInvalid);
  EQUAL(kernel.Ioctl(7, kCreateRequest, &create, program.caller), error::kBadDescriptor);
}

TEST("CREATE: returns a unit and makes a node; refuses what makes no sense") {
  FakeKernel kernel(Quiet());
  Program program(kernel);
  EQUAL(program.Make("hast/a"), 0);
  EQUAL(program.Make("hast/b"), 1);
  CHECK(kernel.Exists("/dev/hast/a"));
  const auto refused = [&](const std::function<void(Create&)>& change) {
    Create create = Program::NewCreate("hast/c");
    change(create);
    return program.Call(kCreateRequest, &create);
  };
  EQUAL(refused([](Create& c) { c.sector_size = 500; }), error::kInvalid);
  EQUAL(refused([](Create& c) { c.sector_size = 0; }), error::kInvalid);
  EQUAL(refused([](Create& c) { c.media_size = 0; }), error::kInvalid);
  EQUAL(refused([](Create& c) { c.media_size = 700; }), error::kInvalid);
  EQUAL(refused([](Create& c) { c.flags = kReadOnly | kWriteOnly; }), error::kInvalid);
  EQUAL(refused([](Create& c) { c.name[0] = 0; }), error::kInvalid);
  EQUAL(refused([](Create& c) { c.unit = 256; }), error::kInvalid);
  EQUAL(refused([](Create& c) { std::strcpy(c.read_provider, "/dev/missing"); }), error::kInvalid);
  EQUAL(refused([](Create& c) { c.unit = 1; }), error::kExists);
  EQUAL(refused([](Create& c) { std::strcpy(c.name, "hast/a"); }), error::kExists);
  EQUAL(refused([](Create& c) { c.unit = kUnitAuto; }), 0);
  EQUAL(kernel.Look("ggate2").number, 2);
}

TEST("CREATE: a failed one leaves unit -2, a full house is ENFILE, a long name has no node") {
  FakeKernel::Options options = Quiet();
  options.max_units = 2;
  FakeKernel kernel(options);
  Program program(kernel);
  const std::string longest = "hast/" + std::string(58, 'x');
  program.Make(longest.c_str());
  CHECK(kernel.Exists("/dev/" + longest));
  program.Make((longest + "x").c_str());
  EQUAL(kernel.OpenProvider(longest + "x", false), error::kNoEntry);
  Create create = Program::NewCreate("hast/c");
  EQUAL(program.Call(kCreateRequest, &create), error::kTooManyUnits);
  EQUAL(create.unit, kUnitByName);
}

TEST("START: delivers in order, each once, with seq from 1; WRITE brings its data; `error` is left alone") {
  FakeKernel kernel(Quiet());
  Program program(kernel);
  const int unit = program.Make("hast/a");
  Asked first, second, flush;
  first.Submit(kernel, "hast/a", kWrite, 1024, 512, 7);
  second.Submit(kernel, "hast/a", kRead, 2048, 1024);
  flush.Submit(kernel, "hast/a", kFlush, 0, 0);
  std::vector<uint8_t> buffer(4096);
  Io io = Program::NewIo(unit, buffer);
  io.error = 99;
  EQUAL(program.Call(kStartRequest, &io), 0);
  EQUAL(io.error, 99);
  EQUAL(io.seq, 1u);
  EQUAL(io.command, kWrite);
  EQUAL(io.offset, 1024);
  EQUAL(io.length, 512);
  EQUAL(int(buffer[0]), 7);
  const Io read = program.Start(unit, buffer);
  EQUAL(read.seq, 2u);
  const Io flushed = program.Start(unit, buffer);
  EQUAL(flushed.command, kFlush);
  EQUAL(flushed.offset, kMedia);
  EQUAL(flushed.length, 0);
  EQUAL(first.outcome, -1);
  buffer.assign(4096, 9);
  EQUAL(program.Done(read, 0, buffer), 0);
  EQUAL(second.outcome, 0);
  EQUAL(second.data.size(), 1024u);
  EQUAL(int(second.data[1023]), 9);
  EQUAL(program.Done(io, error::kInputOutput, buffer), 0);
  EQUAL(first.outcome, error::kInputOutput);
  EQUAL(program.Done(flushed, 0, buffer), 0);
  EQUAL(flush.outcome, 0);
}

TEST("START: sleeps until a request comes; several sleepers get one each") {
  FakeKernel kernel(Quiet());
  Program program(kernel);
  const int unit = program.Make("hast/a");
  std::atomic<uint64_t> seqs{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&] {
      std::vector<uint8_t> buffer(4096);
      const Io io = program.Start(unit, buffer);
      seqs += uint64_t{1} << (8 * (io.seq - 1));
      program.Done(io, 0, buffer);
    });
  }
  std::vector<uint8_t> data(512, 1);
  for (int i = 0; i < 4; i++) EQUAL(kernel.WriteNow("hast/a", 0, data), 0);
  for (auto& thread : threads) thread.join();
  EQUAL(seqs, 0x01010101u);
}

TEST("START: a WRITE larger than the buffer is ENOMEM with its length, and stays; a bad address is EFAULT, and it stays") {
  FakeKernel kernel(Quiet());
  Program program(kernel);
  const int unit = program.Make("hast/a");
  Asked write, after;
  write.Submit(kernel, "hast/a", kWrite, 0, 8192, 3);
  after.Submit(kernel, "hast/a", kWrite, 0, 512, 4);
  std::vector<uint8_t> small(512);
  const Io refused = program.Start(unit, small);
  EQUAL(refused.error, error::kNoMemory);
  EQUAL(refused.length, 8192);
  EQUAL(refused.command, kWrite);
  EQUAL(refused.seq, 0u);
  std::vector<uint8_t> large(8192);
  Io nowhere = Program::NewIo(unit, large);
  nowhere.data = 0;
  EQUAL(program.Call(kStartRequest, &nowhere), error::kFault);
  const Io io = program.Start(unit, large);
  EQUAL(io.seq, 1u);
  EQUAL(int(large[8191]), 3);
  program.Done(io, 0, large);
  EQUAL(write.outcome, 0);
  EQUAL(after.outcome, -1);
  program.Destroy("hast/a", true);
}

TEST("START: DELETE may be larger than any buffer; what is larger than the system's maximum comes in pieces") {
  FakeKernel kernel(Quiet());
  Program program(kernel);
  const int unit = program.Make("hast/a");
  Asked deleted, written;
  std::vector<uint8_t> buffer(128 << 10);
  deleted.Submit(kernel, "hast/a", kDelete, 0, 4 << 20);
  const Io io = program.Start(unit, buffer);
  EQUAL(io.command, kDelete);
  EQUAL(io.length, 4 << 20);
  program.Done(io, 0, buffer);
  EQUAL(deleted.outcome, 0);
  written.Submit(kernel, "hast/a", kWrite, 4096, 300 << 10, 1);
  int64_t total = 0;
  for (int i = 0; i < 3; i++) {
    const Io piece = program.Start(unit, buffer);
    EQUAL(piece.offset, 4096 + total);
    total += piece.length;
    EQUAL(written.outcome, -1);
    program.Done(piece, 0, buffer);
  }
  EQUAL(total, 300 << 10);
  EQUAL(written.outcome, 0);
}

TEST("START: a signal is ECANCELED in `error` on 12, EINTR on 13") {
  for (const int release : {12, 13}) {
    FakeKernel::Options options = Quiet();
    options.release = release;
    FakeKernel kernel(options);
    Program program(kernel);
    const int unit = program.Make("hast/a");
    std::atomic<int> result{-1};
    std::atomic<int> told{-1};
    std::thread sleeper([&] {
      std::vector<uint8_t> buffer(512);
      Io io = Program::NewIo(unit, buffer);
      const int error = program.Call(kStartRequest, &io);
      told = io.error;
      result = error;
    });
    while (result == -1) kernel.InterruptSleepers();
    sleeper.join();
    EQUAL(result, release == 12 ? 0 : error::kInterrupted);
    EQUAL(told, release == 12 ? error::kCanceled : 0);
  }
}

TEST("DONE: unknown seq is success, unknown unit ENOENT, a bad address EFAULT for both") {
  FakeKernel kernel(Quiet());
  Program program(kernel);
  const int unit = program.Make("hast/a");
  std::vector<uint8_t> buffer(512);
  Io io = Program::NewIo(unit, buffer);
  io.seq = 77;
  EQUAL(program.Call(kDoneRequest, &io), 0);
  io.unit = 5;
  EQUAL(program.Call(kDoneRequest, &io), error::kNoEntry);
  Asked read;
  read.Submit(kernel, "hast/a", kRead, 0, 512);
  Io started = program.Start(unit, buffer);
  started.data = 0;
  started.error = 0;
  EQUAL(program.Call(kDoneRequest, &started), error::kFault);
  EQUAL(read.outcome, error::kFault);
  EQUAL(kernel.Doubled(), 0);
}

TEST("DONE: EAGAIN puts it back at the head with its seq; ENOMEM brings it again under a new one") {
  FakeKernel kernel(Quiet());
  Program program(kernel);
  const int unit = program.Make("hast/a");
  std::vector<uint8_t> buffer(512);
  Asked first, second;
  first.Submit(kernel, "hast/a", kWrite, 0, 512, 1);
  second.Submit(kernel, "hast/a", kWrite, 512, 512, 2);
  Io io = program.Start(unit, buffer);
  program.Done(io, error::kAgain, buffer);
  io = program.Start(unit, buffer);
  EQUAL(io.seq, 1u);
  program.Done(io, error::kNoMemory, buffer);
  io = program.Start(unit, buffer);
  EQUAL(io.seq, 2u);
  program.Done(io, 0, buffer);
  io = program.Start(unit, buffer);
  EQUAL(io.seq, 3u);
  EQUAL(io.offset, 0);
  EQUAL(first.outcome, -1);
  program.Done(io, 0, buffer);
  EQUAL(first.outcome, 0);
}

TEST("CANCEL: puts what was fetched back in its order, by name; one by its seq; ENXIO without the provider") {
  FakeKernel kernel(Quiet());
  Program program(kernel);
  const int unit = program.Make("hast/a");
  std::vector<uint8_t> buffer(512);
  std::vector<std::unique_ptr<Asked>> asked;
  for (int i = 0; i < 4; i++) {
    asked.push_back(std::make_unique<Asked>());
    asked.back()->Submit(kernel, "hast/a", kRead, i * 512, 512);
  }
  for (int i = 0; i < 3; i++) program.Start(unit, buffer);
  int found = 99;
  EQUAL(program.Cancel("hast/a", 2, &found), 0);
  EQUAL(found, unit);
  EQUAL(kernel.Look("hast/a").in_queue, 2u);
  EQUAL(program.Cancel("hast/a", 1u << 30), 0);
  EQUAL(kernel.Look("hast/a").in_queue, 2u);
  EQUAL(program.Cancel("hast/a", 0), 0);
  for (uint64_t seq = 1; seq <= 3; seq++) {
    EQUAL(program.Start(unit, buffer).seq, seq == 1 ? 1u : seq == 2 ? 3u : 2u);
  }
  EQUAL(program.Cancel("hast/b", 0, &found), error::kNoDevice);
  EQUAL(found, kUnitByName);
  program.Destroy("hast/a", true);
}

TEST("DESTROY: EBUSY while open, by force not; what is queued fails with ENXIO, sleepers wake with ECANCELED") {
  FakeKernel kernel(Quiet());
  Program program(kernel);
  const int unit = program.Make("hast/a");
  EQUAL(kernel.OpenProvider("hast/a", true), 0);
  EQUAL(program.Destroy("hast/a", false), error::kBusy);
  std::vector<uint8_t> buffer(512);
  Asked fetched;
  fetched.Submit(kernel, "hast/a", kRead, 0, 512);
  program.Start(unit, buffer);
  std::atomic<int> told{-1};
  std::thread sleeper([&] {
    std::vector<uint8_t> own(512);
    Io io = Program::NewIo(unit, own);
    program.Call(kStartRequest, &io);
    told = io.error;
  });
  EQUAL(program.Destroy("hast/a", true), 0);
  sleeper.join();
  // A sleeper that was not there yet finds no unit.
  CHECK(told == error::kCanceled || told == 0);
  EQUAL(fetched.outcome, error::kNoDevice);
  EQUAL(program.Destroy("hast/a", true), error::kNoDevice);
  Io io = Program::NewIo(unit, buffer);
  EQUAL(program.Call(kStartRequest, &io), error::kNoDevice);
  CHECK(!kernel.Exists("/dev/hast/a"));
}

TEST("MODIFY: info, media size with its taste reads, and the kernel's two ways to die") {
  FakeKernel::Options options;
  FakeKernel kernel(options);
  kernel.AddDisk("/dev/ada0", 16 << 20, 512);
  Program program(kernel);
  const int unit = program.Make("hast/a");
  EQUAL(kernel.Look("hast/a").in_queue, 4u);
  std::thread server([&] {
    std::vector<uint8_t> buffer(512);
    for (int i = 0; i < 8; i++) program.Done(program.Start(unit, buffer), 0, buffer);
  });
  Modify modify = {};
  modify.version = kVersion;
  modify.unit = unit;
  modify.modify = kModifyInfo;
  std::strcpy(modify.info, "told");
  EQUAL(program.Call(kModifyRequest, &modify), 0);
  EQUAL(kernel.Look("hast/a").info, "told");
  modify.modify = kModifyMediaSize;
  modify.media_size = 100;
  EQUAL(program.Call(kModifyRequest, &modify), error::kInvalid);
  modify.media_size = kMedia * 2;
  EQUAL(program.Call(kModifyRequest, &modify), 0);
  EQUAL(kernel.Look("hast/a").media_size, kMedia * 2);
  server.join();
  modify.modify = kModifyReadOffset;
  EQUAL(program.Call(kModifyRequest, &modify), error::kInvalid);
  modify.modify = kModifyReadProvider | kModifyReadOffset;
  std::strcpy(modify.read_provider, "/dev/ada0");
  EQUAL(program.Call(kModifyRequest, &modify), 0);
  EQUAL(kernel.Look("hast/a").read_provider, "/dev/ada0");
  modify.unit = 9;
  EQUAL(program.Call(kModifyRequest, &modify), error::kNoDevice);
  EQUAL(kernel.Panic(), "");
  modify.unit = unit;
  modify.read_offset = 1 << 20;
  EQUAL(program.Call(kModifyRequest, &modify), error::kInvalid);
  CHECK(kernel.Panic().find("topology") != std::string::npos);
}

TEST("unit -2 in START is a panic, and so is the end of direct reads") {
  FakeKernel first(Quiet());
  Program program(first);
  std::vector<uint8_t> buffer(512);
  Io io = Program::NewIo(kUnitByName, buffer);
  EQUAL(program.Call(kStartRequest, &io), error::kInputOutput);
  CHECK(!first.Panic().empty());
  FakeKernel second(Quiet());
  Program other(second);
  Modify modify = {};
  modify.version = kVersion;
  modify.unit = other.Make("hast/a");
  modify.modify = kModifyReadProvider;
  other.Call(kModifyRequest, &modify);
  CHECK(!second.Panic().empty());
}

TEST("limits: more than maxcount wait, after `timeout` what is older than 5 s is EIO, a read-only unit says EPERM") {
  FakeKernel::Options options = Quiet();
  options.second = std::chrono::milliseconds(10);
  FakeKernel kernel(options);
  Program program(kernel);
  Create create = Program::NewCreate("hast/a");
  create.max_count = 1;
  create.timeout = 1;
  EQUAL(program.Call(kCreateRequest, &create), 0);
  Asked asked[4];
  for (auto& one : asked) one.Submit(kernel, "hast/a", kRead, 0, 512);
  CHECK(kernel.Look("hast/a").in_queue <= 2);
  for (auto& one : asked) EVENTUALLY(one.outcome == error::kInputOutput);
  Create reading = Program::NewCreate("hast/b");
  reading.flags = kReadOnly;
  EQUAL(program.Call(kCreateRequest, &reading), 0);
  EQUAL(kernel.OpenProvider("hast/b", true), 0);
  EQUAL(kernel.WriteNow("hast/b", 0, std::vector<uint8_t>(512)), error::kPermission);
}

TEST("requests outside of the device or between sectors do not reach it; other commands are refused or passed on") {
  FakeKernel kernel(Quiet());
  Program program(kernel);
  program.Make("hast/a");
  Asked between, beyond, attribute, speedup;
  between.Submit(kernel, "hast/a", kRead, 1, 512);
  beyond.Submit(kernel, "hast/a", kWrite, kMedia, 512);
  attribute.Submit(kernel, "hast/a", 4, 0, 0);
  EQUAL(between.outcome, error::kInvalid);
  EQUAL(beyond.outcome, error::kInputOutput);
  EQUAL(attribute.outcome, error::kNotSupported);
  speedup.Submit(kernel, "hast/a", kSpeedup, 0, 0);
  EQUAL(kernel.Look("hast/a").in_queue, 1u);
  program.Destroy("hast/a", true);
}

TEST("nodes: sizes can be asked for without serving; who closes after writing waits for the taste reads") {
  FakeKernel kernel((FakeKernel::Options()));
  Program program(kernel);
  const int unit = program.Make("hast/a");
  const int reader = kernel.Open("/dev/hast/a", false);
  int64_t media_size = 0;
  uint32_t sector_size = 0;
  EQUAL(kernel.Ioctl(reader, kDiskMediaSize, &media_size, program.caller), 0);
  EQUAL(kernel.Ioctl(reader, kDiskSectorSize, &sector_size, program.caller), 0);
  EQUAL(media_size, kMedia);
  EQUAL(sector_size, kSector);
  kernel.Close(reader);
  const int writer = kernel.Open("/dev/hast/a", true);
  std::atomic<bool> closed{false};
  std::thread closer([&] {
    kernel.Close(writer);
    closed = true;
  });
  std::vector<uint8_t> buffer(512);
  for (int i = 0; i < 8; i++) {
    CHECK(!closed);
    program.Done(program.Start(unit, buffer), 0, buffer);
  }
  closer.join();
}

TEST("a caller that dies in START takes nothing with it") {
  struct Mortal : Caller {
    std::atomic<bool> alive{true};
    bool Alive() override { return alive; }
  } mortal;
  FakeKernel kernel(Quiet());
  Program program(kernel);
  const int unit = program.Make("hast/a");
  std::thread sleeper([&] {
    std::vector<uint8_t> buffer(512);
    Io io = Program::NewIo(unit, buffer);
    kernel.Ioctl(program.control, kStartRequest, &io, mortal);
  });
  mortal.alive = false;
  Asked asked;
  asked.Submit(kernel, "hast/a", kRead, 0, 512);
  kernel.ProcessesEnded();
  sleeper.join();
  EQUAL(kernel.Look("hast/a").in_queue, 1u);
  program.Destroy("hast/a", true);
}
