#include "driver.h"

#include <csignal>
#include <sys/mman.h>

namespace ggate {
namespace {

// Threads started in its life have every signal blocked.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

size_t RoundUp(size_t bytes) {
  size_t size = 4096;
  while (size < bytes) size *= 2;
  return size;
}

// What a client may be told. The kernel does not pass on the others, but does something with the request instead.
int ErrorForClient(int error) { return error == error::kAgain || error == error::kNoMemory ? error::kInputOutput : error; }

}  // namespace

std::shared_ptr<Buffer> Buffer::Make(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  return std::make_shared<Buffer>(static_cast<uint8_t*>(memory), bytes);
}

Buffer::~Buffer() { munmap(data_, bytes_); }

std::shared_ptr<Driver> Driver::Start(Options options) {
  std::shared_ptr<Driver> driver(new Driver(std::move(options)));
  SignalsBlocked blocked;
  std::thread([driver] { driver->Keep(); }).detach();
  return driver;
}

Driver::Driver(Options options) : options_(std::move(options)), slots_(options_.slots) {
  for (uint32_t number = options_.slots; number > 0; number--) free_.push_back(number - 1);
}

size_t Driver::Take(uint32_t* slots, size_t room) {
  std::lock_guard<std::mutex> lock(mutex_);
  woken_ = false;
  if (closing_) return 0;
  size_t count = 0;
  while (count < room && !received_.empty()) {
    slots[count++] = received_.front();
    received_.pop_front();
  }
  return count;
}

Driver::State Driver::state() {
  std::lock_guard<std::mutex> lock(mutex_);
  return {phase_, error_, origin_};
}

void Driver::Answer(const ggate::Answer* answers, size_t count) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closing_) return;
  for (size_t i = 0; i < count; i++) {
    slots_[answers[i].slot].error = ErrorForClient(answers[i].error);
    answers_.push_back(answers[i].slot);
  }
  if (count == 1) {
    answered_.notify_one();
  } else {
    answered_.notify_all();
  }
}

void Driver::Close() {
  std::lock_guard<std::mutex> lock(mutex_);
  closing_ = true;
  keeper_.notify_all();
  slot_freed_.notify_all();
}

void Driver::Keep() {
  System& system = *options_.system;
  const Attachment made =
      Attach(system, options_.control, options_.name, options_.geometry, options_.left, options_.info);
  std::vector<std::thread> threads;
  std::unique_lock<std::mutex> lock(mutex_);
  origin_ = made.origin;
  unit_ = made.unit;
  error_ = made.error != 0 ? made.error : made.unit < 0 ? error::kInvalid : 0;
  phase_ = error_ == 0 ? Phase::kServing : Phase::kFailed;
  const bool is_served = phase_ == Phase::kServing;
  lock.unlock();
  if (is_served) {
    const auto self = shared_from_this();
    for (unsigned i = 0; i < options_.receivers; i++) threads.emplace_back([self] { self->Receive(); });
    for (unsigned i = 0; i < options_.finishers; i++) threads.emplace_back([self] { self->Finish(); });
  }
  Wake();

  lock.lock();
  keeper_.wait(lock, [&] { return closing_; });
  finishing_ = true;
  answered_.notify_all();
  // What was answered is not to be lost with the provider.
  keeper_.wait(lock, [&] { return answers_.empty() && busy_finishers_ == 0; });
  // Somebody else's provider may have the name by now.
  const bool is_there = is_served && error_ != error::kNoDevice;
  lock.unlock();
  const int failed = is_there ? DestroyByForce(system, options_.control, options_.name) : 0;
  const bool is_gone = failed == 0 || failed == error::kNoDevice;
  // Receivers of a provider that could not be removed sleep on until the process ends, and keep the driver.
  for (auto& thread : threads) {
    if (is_gone) {
      thread.join();
    } else {
      thread.detach();
    }
  }
  lock.lock();
  error_ = is_gone ? 0 : failed;
  phase_ = Phase::kClosed;
  lock.unlock();
  Wake();
}

void Driver::Receive() {
  for (;;) {
    uint32_t number;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      slot_freed_.wait(lock, [&] { return !free_.empty() || closing_; });
      // The unit's number may be another provider's by now.
      if (phase_ == Phase::kFailed) return;
      // The provider is about to be removed.
      if (free_.empty()) return;
      number = free_.back();
      free_.pop_back();
    }
    if (!StartOne(number)) return;
  }
}

bool Driver::StartOne(uint32_t number) {
  Slot& slot = slots_[number];
  size_t wanted = options_.buffer_bytes;
  for (;;) {
    if (!Enlarge(slot, wanted)) {
      Fail(error::kNoMemory);
      return false;
    }
    Io io = {};
    io.version = kVersion;
    io.unit = unit_;
    io.length = static_cast<int64_t>(slot.buffer->bytes());
    io.data = reinterpret_cast<uint64_t>(slot.buffer->data());
    const int failed = options_.system->Ioctl(options_.control, kStartRequest, &io);
    if (failed == error::kInterrupted) continue;
    if (failed != 0) {
      Fail(failed);
      return false;
    }
    switch (io.error) {
      case 0:
        return Delivered(number, io);
      case error::kCanceled:
        // The end, or on 12 a signal. A later provider may have got the unit's number.
        if (IsStillOurs()) continue;
        Fail(error::kNoDevice);
        return false;
      case error::kNoMemory:
        if (static_cast<size_t>(io.length) > slot.buffer->bytes()) {
          wanted = static_cast<size_t>(io.length);
          continue;
        }
        Fail(error::kInvalid);
        return false;
      default:
        Fail(io.error);
        return false;
    }
  }
}

bool Driver::Enlarge(Slot& slot, size_t bytes) {
  if (slot.buffer != nullptr && slot.buffer->bytes() >= bytes) return true;
  const auto larger = Buffer::Make(RoundUp(bytes));
  if (larger == nullptr) return false;
  slot.buffer = larger;
  slot.generation++;
  return true;
}

// Hands a request to the owner; answers those that it need not see.
bool Driver::Delivered(uint32_t number, const Io& io) {
  Slot& slot = slots_[number];
  slot.seq = io.seq;
  slot.command = io.command;
  slot.offset = io.command == kFlush ? 0 : io.offset;
  slot.length = io.command == kFlush ? 0 : io.length;
  int refused = 0;
  if (io.command == kRead || io.command == kWrite || io.command == kDelete) {
    const Geometry& geometry = options_.geometry;
    const int64_t sector = geometry.sector_size;
    const bool is_whole = io.length > 0 && io.offset % sector == 0 && io.length % sector == 0;
    const bool is_inside = io.offset >= 0 && io.length <= geometry.media_size - io.offset;
    if (!is_whole || !is_inside) refused = error::kInvalid;
  } else if (io.command != kFlush) {
    refused = error::kNotSupported;
  }
  // The kernel checks the buffer of a WRITE only.
  if (refused == 0 && io.command == kRead && !Enlarge(slot, static_cast<size_t>(io.length))) refused = error::kNoMemory;
  std::unique_lock<std::mutex> lock(mutex_);
  if (refused != 0) {
    slot.error = ErrorForClient(refused);
    // At the end it fails with the provider.
    if (!finishing_) answers_.push_back(number);
    answered_.notify_one();
    return true;
  }
  received_.push_back(number);
  lock.unlock();
  Wake();
  return true;
}

void Driver::Finish() {
  for (;;) {
    uint32_t number;
    bool is_gone;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      answered_.wait(lock, [&] { return !answers_.empty() || finishing_; });
      if (answers_.empty()) return;
      number = answers_.front();
      answers_.pop_front();
      busy_finishers_++;
      is_gone = phase_ == Phase::kFailed && error_ == error::kNoDevice;
    }
    const int failed = is_gone ? 0 : DoneNow(slots_[number], slots_[number].error);
    if (failed != 0) Fail(failed == error::kNoEntry ? error::kNoDevice : failed);
    std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(number);
    busy_finishers_--;
    slot_freed_.notify_one();
    if (finishing_) keeper_.notify_all();
  }
}

int Driver::DoneNow(const Slot& slot, int error) {
  Io io = {};
  io.version = kVersion;
  io.unit = unit_;
  io.seq = slot.seq;
  io.command = slot.command;
  io.offset = slot.offset;
  io.length = slot.length;
  io.data = reinterpret_cast<uint64_t>(slot.buffer->data());
  io.error = error;
  return options_.system->Ioctl(options_.control, kDoneRequest, &io);
}

// True as well when the kernel does not say: then the next START tells.
bool Driver::IsStillOurs() {
  int unit = -1;
  const int failed = UnitOf(*options_.system, options_.control, options_.name, &unit);
  return failed == 0 ? unit == unit_ : failed != error::kNoDevice;
}

// Only the first one counts, and none at the end: a provider that is removed fails everything that was going on.
void Driver::Fail(int error) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closing_ || phase_ != Phase::kServing) return;
    phase_ = Phase::kFailed;
    error_ = error;
  }
  Wake();
}

void Driver::Wake() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (woken_) return;
    woken_ = true;
  }
  options_.wake();
}

}  // namespace ggate
