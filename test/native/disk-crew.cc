// The threads of a disk pool without Node: every operation ends once, with what it did, whoever wakes whom and when.
#include "../../native/src/disk-crew.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr size_t kBlock = 512;
constexpr size_t kBlocks = 64;

[[noreturn]] void Fail(const char* what, size_t number) {
  std::fprintf(stderr, "%s (%zu)\n", what, number);
  std::exit(1);
}

// Waits for wake-ups and takes outcomes, as JavaScript does.
class Taker {
 public:
  explicit Taker(size_t threads) : crew_(std::make_shared<disk::Crew>(threads, [this] { Wake(); })) {}
  ~Taker() { crew_->Dismiss(); }

  disk::Crew& crew() { return *crew_; }

  // Outcomes by number, after `count` of them.
  std::vector<int64_t> Results(size_t count) {
    std::vector<int64_t> results(count, INT64_MIN);
    for (size_t taken = 0; taken < count;) {
      std::unique_lock<std::mutex> lock(mutex_);
      woken_.wait(lock, [this] { return awake_; });
      awake_ = false;
      lock.unlock();
      disk::Outcome outcomes[5];
      for (size_t n = crew_->Take(outcomes, 5); n > 0; n = crew_->Take(outcomes, 5)) {
        for (size_t i = 0; i < n; i++) {
          if (results[outcomes[i].id] != INT64_MIN) Fail("ended twice", outcomes[i].id);
          results[outcomes[i].id] = outcomes[i].result;
        }
        taken += n;
      }
    }
    return results;
  }

 private:
  void Wake() {
    const std::lock_guard<std::mutex> lock(mutex_);
    awake_ = true;
    woken_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable woken_;
  bool awake_ = false;
  const std::shared_ptr<disk::Crew> crew_;
};

void WritesAndReads(int fd, size_t threads, uint8_t first) {
  Taker taker(threads);
  std::vector<uint8_t> data(kBlocks * kBlock);
  for (size_t i = 0; i < kBlocks; i++) std::memset(&data[i * kBlock], first + static_cast<int>(i), kBlock);
  const auto add = [&](disk::Kind kind, size_t i, std::vector<uint8_t>* buffer) {
    taker.crew().Add({static_cast<uint32_t>(i), kind, fd, &(*buffer)[i * kBlock], kBlock, static_cast<int64_t>(i * kBlock)});
  };
  for (size_t i = 0; i < kBlocks; i++) add(disk::Kind::kWrite, i, &data);
  for (const int64_t result : taker.Results(kBlocks)) {
    if (result != static_cast<int64_t>(kBlock)) Fail("a write ended with", static_cast<size_t>(result));
  }
  std::vector<uint8_t> found(data.size());
  for (size_t i = 0; i < kBlocks; i++) add(disk::Kind::kRead, i, &found);
  taker.Results(kBlocks);
  if (found != data) Fail("not what was written, with threads", threads);
}

void Errors(int fd) {
  Taker taker(2);
  uint8_t data[kBlock] = {};
  taker.crew().Add({0, disk::Kind::kSync, fd, nullptr, 0, 0});
  taker.crew().Add({1, disk::Kind::kRead, -1, data, kBlock, 0});
  taker.crew().Add({2, disk::Kind::kRead, fd, data, kBlock, 1 << 30});
  const std::vector<int64_t> results = taker.Results(3);
  if (results[0] != 0) Fail("a flush failed", 0);
  if (results[1] != -EBADF) Fail("no error for no file", 1);
  if (results[2] != 0) Fail("something behind the end", 2);
}

// Dismissed in the middle of everything: what is under way ends in memory that is still there, and nothing waits.
void Dismissed(int fd) {
  static uint8_t data[kBlocks][kBlock];
  Taker taker(3);
  for (size_t i = 0; i < kBlocks; i++) {
    taker.crew().Add({static_cast<uint32_t>(i), disk::Kind::kWrite, fd, data[i], kBlock, 0});
  }
}

}  // namespace

int main() {
  FILE* const file = std::tmpfile();
  if (file == nullptr) Fail("no temporary file", 0);
  const int fd = fileno(file);
  for (size_t round = 0; round < 50; round++) {
    for (const size_t threads : {1, 2, 16}) WritesAndReads(fd, threads, static_cast<uint8_t>(round));
    Errors(fd);
  }
  for (size_t round = 0; round < 50; round++) Dismissed(fd);
  return 0;
}
