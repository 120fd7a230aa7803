// A GEOM gate kernel that runs anywhere: what core/spec/integration.md section 6 says of the real one, errno for errno,
// with calls that really block. kernel-test.cc holds its expectations. What the real kernel answers with a panic stops this
// one for good (`panic`), so that a driver that asks for it is found out.
#pragma once
#include "abi.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ggate {

// A request of an application, or of the kernel itself.
struct Bio {
  uint32_t command = 0;
  int64_t offset = 0;
  int64_t length = 0;
  // WRITE: what to write. READ: what was read.
  std::vector<uint8_t> data;
  // Called exactly once, by any thread, with 0 or an errno.
  std::function<void(int error, Bio& bio)> done;

  uint64_t seq = 0;
  std::chrono::steady_clock::time_point since;
  bool finished = false;
};

// Who makes a system call: its life, its memory, its signals.
class Caller {
 public:
  virtual ~Caller() = default;
  // False: the process is gone; whatever it sleeps in ends without effect.
  virtual bool Alive() { return true; }
  virtual bool CopyOut(uint64_t address, const void* source, size_t bytes);
  virtual bool CopyIn(uint64_t address, void* target, size_t bytes);
};

class FakeKernel {
 public:
  struct Options {
    // 12: a START that a signal interrupts succeeds with ECANCELED in `error`; 13: it fails with EINTR.
    int release = 13;
    int max_units = 256;
    int64_t max_io_bytes = 128 << 10;
    // Reads of other GEOM classes when a provider appears, changes its size, or is closed by a writer.
    int taste_reads = 4;
    bool has_module_file = true;
    bool has_module = true;
    // How long a second of the kernel's timeouts lasts.
    std::chrono::milliseconds second{1000};
    // How long GEOM waits before it submits a request again that failed with ENOMEM.
    std::chrono::milliseconds retry{5};
    // How long after DESTROY the node of a provider stays in /dev.
    std::chrono::milliseconds node_lingers{0};
  };

  explicit FakeKernel(Options options);
  ~FakeKernel();

  // System calls; 0 or an errno, `Open` a descriptor or a negative errno.
  int Open(const std::string& path, bool writable);
  void Close(int descriptor);
  int Ioctl(int descriptor, unsigned long request, void* argument, Caller& caller);
  bool Exists(const std::string& path);
  bool HasModule(const std::string& name);
  int LoadModule(const std::string& file);
  int UnloadModule(const std::string& file);

  // A disk, for the requests of section 6.7. `flush_error` is what its flushes and deletes end in.
  void AddDisk(const std::string& path, int64_t media_size, uint32_t sector_size, int flush_error = 0);
  void AddFile(const std::string& path);
  std::vector<DeleteRange> Deleted(const std::string& path);

  // Applications. `OpenProvider` counts; a request larger than the maximum I/O is cut, and done when all its parts are.
  int OpenProvider(const std::string& name, bool writable);
  void CloseProvider(const std::string& name, bool writable);
  void Submit(const std::string& name, Bio bio);
  int ReadNow(const std::string& name, int64_t offset, std::vector<uint8_t>& target);
  int WriteNow(const std::string& name, int64_t offset, const std::vector<uint8_t>& source);

  // What happens to sleepers.
  void InterruptSleepers();
  // Sleepers look whether their process is still there.
  void ProcessesEnded();

  struct Unit {
    int number;
    std::string name;
    int64_t media_size;
    uint32_t sector_size;
    std::string info;
    std::string read_provider;
    int64_t read_offset;
    size_t in_queue;
    size_t out_queue;
    uint64_t last_seq;
  };
  // The unit of that name; number -1 when there is none.
  Unit Look(const std::string& name);
  // Why the real kernel would not be there any more; empty: it would.
  std::string Panic();
  // Requests that were completed a second time.
  int Doubled();

 private:
  using BioPointer = std::shared_ptr<Bio>;

  struct Provider {
    int unit = -1;
    std::string name;
    std::string node;
    int64_t media_size = 0;
    uint32_t sector_size = 0;
    uint32_t flags = 0;
    uint32_t max_count = 0;
    uint32_t timeout = 0;
    std::string info;
    std::string read_provider;
    int64_t read_offset = 0;
    std::deque<BioPointer> in;
    std::deque<BioPointer> out;
    uint64_t seq = 1;
    int opened = 0;
    // Calls that use it; DESTROY waits for them.
    int calls = 0;
    bool dying = false;
    std::condition_variable changed;
    uint64_t interruptions = 0;
    std::chrono::steady_clock::time_point next_timeout;
  };
  using ProviderPointer = std::shared_ptr<Provider>;

  struct Disk {
    int64_t media_size;
    uint32_t sector_size;
    int flush_error;
    bool is_file;
    std::vector<DeleteRange> deleted;
  };

  struct Descriptor {
    enum class Kind { kControl, kProvider, kDisk } kind;
    std::string name;
    bool writable;
  };

  using Lock = std::unique_lock<std::mutex>;
  // Completions that are due; they are called without the lock.
  using Due = std::vector<std::pair<BioPointer, int>>;

  int ControlIoctl(unsigned long request, void* argument, Caller& caller);
  int DiskIoctl(const Descriptor& descriptor, unsigned long request, void* argument);
  int DoCreate(Create& create);
  int DoModify(Modify& modify);
  int DoDestroy(Destroy& destroy);
  int DoCancel(Cancel& cancel);
  int DoStart(Io& io, Caller& caller);
  int DoDone(Io& io, Caller& caller);

  // These calls look for a name that they were not given: the kernel dies of it.
  bool PanicsWithoutUnit(int32_t unit);
  ProviderPointer ByUnit(int32_t unit);
  ProviderPointer ByName(const std::string& name);
  int CheckReadProvider(const std::string& name, int64_t offset, int64_t media_size, uint32_t sector_size);
  void Enqueue(const ProviderPointer& provider, BioPointer bio, Due& due);
  void SubmitWhole(const std::string& name, BioPointer bio);
  void Taste(const std::string& name, bool wait);
  void Finish(Due& due);
  void PanicNow(const std::string& why);
  void Clock();

  const Options options_;
  std::mutex mutex_;
  std::condition_variable clock_changed_;
  bool has_module_;
  bool ended_ = false;
  std::string panic_;
  int doubled_ = 0;
  int next_descriptor_ = 100;
  std::map<int, Descriptor> descriptors_;
  std::map<int, ProviderPointer> units_;
  std::map<std::string, Disk> disks_;
  // Nodes of destroyed providers, until when.
  std::map<std::string, std::chrono::steady_clock::time_point> lingering_;
  struct Retry {
    std::chrono::steady_clock::time_point at;
    std::string name;
    BioPointer bio;
  };
  std::vector<Retry> retries_;
  std::thread clock_;
};

}  // namespace ggate
