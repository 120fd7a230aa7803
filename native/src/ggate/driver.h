// The GEOM gate driver: one provider, served by threads of its own, so that whoever works on the requests never waits for
// the kernel (core/spec/integration.md sections 6.3 to 6.5). It knows nothing of Node: binding.cc does.
//
//   keeper     creates the provider or takes it over; starts the others; removes it at the end
//   receivers  sleep in START, each with a free slot in hand
//   finishers  take answers to the kernel with DONE
//
//   slot: free -> in START -> received -> taken by the owner -> answered -> in DONE -> free
//
// All signals are blocked in these threads. They hold the driver, so it ends after the last of them.
#pragma once
#include "abi.h"
#include "provider.h"
#include "system.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ggate {

// Zeroed memory that begins on a page.
class Buffer {
 public:
  // Null: there is none.
  static std::shared_ptr<Buffer> Make(size_t bytes);
  Buffer(uint8_t* data, size_t bytes) : data_(data), bytes_(bytes) {}
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  uint8_t* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  uint8_t* const data_;
  const size_t bytes_;
};

// What the kernel asks for. The owner may use it from `Take` to `Answer`.
struct Slot {
  uint64_t seq = 0;
  uint32_t command = 0;
  int64_t offset = 0;
  int64_t length = 0;
  int error = 0;
  // At least `length` bytes for READ and WRITE. Replaced by a larger one when needed.
  std::shared_ptr<Buffer> buffer;
  // How many buffers it has had.
  uint32_t generation = 0;
};

struct Answer {
  uint32_t slot;
  // FreeBSD's number.
  int32_t error;
};

enum class Phase : int32_t {
  kStarting = 0,
  kServing = 1,
  // It is not there any more, or was never made; `error` tells why. The owner closes.
  kFailed = 2,
  // After `Close`: no thread is left; `error` tells why the provider could not be removed.
  kClosed = 3,
};

class Driver : public std::enable_shared_from_this<Driver> {
 public:
  struct Options {
    System* system = nullptr;
    // The control device, open; it stays open.
    int control = -1;
    std::string name;
    Geometry geometry;
    // What a provider of that name had before.
    Geometry left;
    std::string info;
    unsigned slots = 256;
    unsigned receivers = 2;
    unsigned finishers = 2;
    size_t buffer_bytes = 128 << 10;
    // Called by any thread when there may be something to take, or another phase; then not again before `Take`.
    std::function<void()> wake;
  };

  struct State {
    Phase phase;
    int error;
    Origin origin;
  };

  static std::shared_ptr<Driver> Start(Options options);

  // All of these: the owner's thread only.

  // The slots of requests that have arrived, at most `room`; call again until it gives none.
  size_t Take(uint32_t* slots, size_t room);
  State state();
  const Slot& slot(uint32_t number) const { return slots_[number]; }
  // Each taken slot once; ignored after `Close`.
  void Answer(const ggate::Answer* answers, size_t count);
  // Answers given before still reach their clients, everything else fails with ENXIO. Ends in kClosed.
  void Close();

 private:
  explicit Driver(Options options);

  void Keep();
  void Receive();
  void Finish();
  // False: the thread ends.
  bool StartOne(uint32_t number);
  // False: there is no memory.
  bool Enlarge(Slot& slot, size_t bytes);
  bool Delivered(uint32_t number, const Io& io);
  int DoneNow(const Slot& slot, int error);
  bool IsStillOurs();
  void Fail(int error);
  void Wake();

  const Options options_;
  int unit_ = -1;
  std::vector<Slot> slots_;

  std::mutex mutex_;
  std::condition_variable slot_freed_;
  std::condition_variable answered_;
  std::condition_variable keeper_;
  Phase phase_ = Phase::kStarting;
  int error_ = 0;
  Origin origin_ = Origin::kCreated;
  bool woken_ = false;
  bool closing_ = false;
  // No answers come any more.
  bool finishing_ = false;
  unsigned busy_finishers_ = 0;
  std::vector<uint32_t> free_;
  std::deque<uint32_t> received_;
  std::deque<uint32_t> answers_;
};

}  // namespace ggate
