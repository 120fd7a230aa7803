// Threads for disk operations that may wait for the medium. Those that have ended are told together, however many there are.
#include "addon.h"
#include "crossing.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

namespace {

enum class Kind { kRead, kWrite, kSync };

struct Operation {
  uint32_t id;
  Kind kind;
  int fd;
  uint8_t* data;
  size_t length;
  int64_t offset;
};

struct Outcome {
  uint32_t id;
  // Bytes transferred, or the negative errno.
  int64_t result;
};

int64_t Run(const Operation& operation) {
  int64_t result;
  do {
    switch (operation.kind) {
      case Kind::kRead:
        result = pread(operation.fd, operation.data, operation.length, operation.offset);
        break;
      case Kind::kWrite:
        result = pwrite(operation.fd, operation.data, operation.length, operation.offset);
        break;
      default:
        result = fdatasync(operation.fd);
    }
  } while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : result;
}

// Nobody waits for its threads: one that hangs in a dead disk must not keep the process from ending.
class Crew : public std::enable_shared_from_this<Crew> {
 public:
  Crew(size_t threads, std::shared_ptr<Waker> waker) : most_(threads), waker_(std::move(waker)) {}

  void Add(const Operation& operation) {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.push_back(operation);
    if (idle_ >= waiting_.size()) {
      work_.notify_one();
    } else if (threads_ < most_) {
      threads_++;
      std::thread([crew = shared_from_this()] { crew->Work(); }).detach();
    }
  }

  size_t Take(Outcome* outcomes, size_t room) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const size_t count = std::min(room, ended_.size());
    std::copy_n(ended_.begin(), count, outcomes);
    ended_.erase(ended_.begin(), ended_.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

  // What has not begun is forgotten.
  void Dismiss() {
    const std::lock_guard<std::mutex> lock(mutex_);
    dismissed_ = true;
    waiting_.clear();
    work_.notify_all();
  }

 private:
  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      idle_++;
      work_.wait(lock, [this] { return dismissed_ || !waiting_.empty(); });
      idle_--;
      if (dismissed_) return;
      const Operation operation = waiting_.front();
      waiting_.pop_front();
      lock.unlock();
      const int64_t result = Run(operation);
      lock.lock();
      ended_.push_back({operation.id, result});
      // Who has been told takes all.
      if (ended_.size() == 1) waker_->Wake();
    }
  }

  const size_t most_;
  const std::shared_ptr<Waker> waker_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Operation> waiting_;
  std::vector<Outcome> ended_;
  size_t threads_ = 0;
  size_t idle_ = 0;
  bool dismissed_ = false;
};

class DiskPool : public Napi::ObjectWrap<DiskPool> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "DiskPool",
                       {
                           InstanceMethod<&DiskPool::Add>("add"),
                           InstanceMethod<&DiskPool::Take>("take"),
                           InstanceMethod<&DiskPool::Close>("close"),
                       });
  }

  explicit DiskPool(const Napi::CallbackInfo& info) : Napi::ObjectWrap<DiskPool>(info) {
    const Napi::Object given = info[0].As<Napi::Object>();
    outcomes_.Hold(given, "outcomes");
    taken_.resize(outcomes_.length() / 2);
    waker_ = std::make_shared<Waker>(given.Get("wake").As<Napi::Function>(), "hast.disk");
    waker_->KeepLoop(false);
    crew_ = std::make_shared<Crew>(given.Get("threads").As<Napi::Number>().Uint32Value(), waker_);
  }

 private:
  Napi::Value Add(const Napi::CallbackInfo& info) {
    Operation operation = {};
    operation.id = info[0].As<Napi::Number>().Uint32Value();
    operation.kind = static_cast<Kind>(IntAt(info, 1));
    operation.fd = IntAt(info, 2);
    auto buffer = info[3].As<Napi::Uint8Array>();
    operation.data = buffer.Data();
    operation.length = buffer.ByteLength();
    operation.offset = Int64At(info, 4);
    if (outstanding_++ == 0) waker_->KeepLoop(true);
    crew_->Add(operation);
    return info.Env().Undefined();
  }

  Napi::Value Take(const Napi::CallbackInfo& info) {
    const size_t count = crew_->Take(taken_.data(), taken_.size());
    for (size_t i = 0; i < count; i++) {
      outcomes_[i * 2] = taken_[i].id;
      outcomes_[i * 2 + 1] = static_cast<double>(taken_[i].result);
    }
    outstanding_ -= count;
    if (count > 0 && outstanding_ == 0) waker_->KeepLoop(false);
    return Napi::Number::New(info.Env(), static_cast<double>(count));
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    crew_->Dismiss();
    waker_->Release();
    return info.Env().Undefined();
  }

  Shared<Napi::Float64Array, double> outcomes_;
  std::vector<Outcome> taken_;
  std::shared_ptr<Waker> waker_;
  std::shared_ptr<Crew> crew_;
  size_t outstanding_ = 0;
};

}  // namespace

void InitDiskPool(Napi::Env env, Napi::Object exports) { exports.Set("DiskPool", DiskPool::Define(env)); }
