// The threads of a disk pool. Nothing of Node is in here.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace disk {

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

inline int64_t Run(const Operation& operation) {
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
  // `wake` is called by its threads when there is something to take after there was nothing.
  Crew(size_t threads, std::function<void()> wake) : most_(threads), wake_(std::move(wake)) {}

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

  // What has not begun is forgotten, and what ends from now on wakes nobody.
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
      if (ended_.size() == 1 && !dismissed_) wake_();
    }
  }

  const size_t most_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Operation> waiting_;
  std::vector<Outcome> ended_;
  size_t threads_ = 0;
  size_t idle_ = 0;
  bool dismissed_ = false;
};

}  // namespace disk
