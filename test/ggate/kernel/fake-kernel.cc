#include "fake-kernel.h"

#include <algorithm>
#include <cstring>

namespace ggate {

using std::chrono::steady_clock;

namespace {

// A string of the interface: up to its NUL, or all of it.
std::string Text(const char* text, size_t bytes) { return std::string(text, strnlen(text, bytes)); }

constexpr size_t kQueueCap = 4096;
constexpr int kTooOldSeconds = 5;
constexpr const char* kPanicName = "a name was looked up in a request that has none (unit -2)";
constexpr const char* kPanicDetach = "the consumer of direct reads was freed and is still used (MODIFY 4 without a provider)";
constexpr const char* kTopologyLock = "the topology lock is held for ever (MODIFY 4 and 8 with a range that does not fit)";

}  // namespace

bool Caller::CopyOut(uint64_t address, const void* source, size_t bytes) {
  if (address == 0) return false;
  std::memcpy(reinterpret_cast<void*>(address), source, bytes);
  return true;
}

bool Caller::CopyIn(uint64_t address, void* target, size_t bytes) {
  if (address == 0) return false;
  std::memcpy(target, reinterpret_cast<const void*>(address), bytes);
  return true;
}

FakeKernel::FakeKernel(Options options) : options_(options), has_module_(options.has_module) {
  clock_ = std::thread([this] { Clock(); });
}

FakeKernel::~FakeKernel() {
  {
    Lock lock(mutex_);
    ended_ = true;
    for (auto& [number, provider] : units_) provider->changed.notify_all();
    clock_changed_.notify_all();
  }
  clock_.join();
}

int FakeKernel::Open(const std::string& path, bool writable) {
  Lock lock(mutex_);
  if (path == kControlPath) {
    if (!has_module_) return -error::kNoEntry;
    descriptors_[next_descriptor_] = {Descriptor::Kind::kControl, path, writable};
    return next_descriptor_++;
  }
  if (path.rfind("/dev/", 0) == 0 && ByName(path.substr(5)) != nullptr) {
    lock.unlock();
    const std::string name = path.substr(5);
    const int opened = OpenProvider(name, writable);
    if (opened != 0) return -opened;
    lock.lock();
    descriptors_[next_descriptor_] = {Descriptor::Kind::kProvider, name, writable};
    return next_descriptor_++;
  }
  if (disks_.count(path) == 0) return -error::kNoEntry;
  descriptors_[next_descriptor_] = {Descriptor::Kind::kDisk, path, writable};
  return next_descriptor_++;
}

void FakeKernel::Close(int number) {
  Lock lock(mutex_);
  const auto found = descriptors_.find(number);
  if (found == descriptors_.end()) return;
  const Descriptor descriptor = found->second;
  descriptors_.erase(found);
  lock.unlock();
  if (descriptor.kind == Descriptor::Kind::kProvider) CloseProvider(descriptor.name, descriptor.writable);
}

int FakeKernel::Ioctl(int number, unsigned long request, void* argument, Caller& caller) {
  Descriptor descriptor;
  {
    Lock lock(mutex_);
    if (!panic_.empty()) return error::kInputOutput;
    const auto found = descriptors_.find(number);
    if (found == descriptors_.end()) return error::kBadDescriptor;
    descriptor = found->second;
  }
  if (descriptor.kind == Descriptor::Kind::kControl) return ControlIoctl(request, argument, caller);
  return DiskIoctl(descriptor, request, argument);
}

bool FakeKernel::Exists(const std::string& path) {
  Lock lock(mutex_);
  if (path.rfind("/dev/", 0) != 0) return disks_.count(path) != 0;
  const std::string name = path.substr(5);
  const auto lingers = lingering_.find(name);
  if (lingers != lingering_.end() && steady_clock::now() < lingers->second) return true;
  return (path == kControlPath && has_module_) || disks_.count(path) != 0 || ByName(name) != nullptr;
}

bool FakeKernel::HasModule(const std::string& name) {
  Lock lock(mutex_);
  return has_module_ && name == kModuleName;
}

int FakeKernel::LoadModule(const std::string& file) {
  Lock lock(mutex_);
  if (file != kModuleFile || !options_.has_module_file) return error::kNoEntry;
  if (has_module_) return error::kExists;
  has_module_ = true;
  return 0;
}

int FakeKernel::UnloadModule(const std::string& file) {
  Lock lock(mutex_);
  if (file != kModuleFile || !has_module_) return error::kNoEntry;
  if (!units_.empty()) return error::kBusy;
  has_module_ = false;
  return 0;
}

void FakeKernel::AddDisk(const std::string& path, int64_t media_size, uint32_t sector_size, int flush_error) {
  Lock lock(mutex_);
  disks_[path] = {media_size, sector_size, flush_error, false, {}};
}

void FakeKernel::AddFile(const std::string& path) {
  Lock lock(mutex_);
  disks_[path] = {0, 0, 0, true, {}};
}

std::vector<DeleteRange> FakeKernel::Deleted(const std::string& path) {
  Lock lock(mutex_);
  return disks_[path].deleted;
}

int FakeKernel::DiskIoctl(const Descriptor& descriptor, unsigned long request, void* argument) {
  Lock lock(mutex_);
  Disk disk{};
  if (descriptor.kind == Descriptor::Kind::kProvider) {
    const ProviderPointer provider = ByName(descriptor.name);
    if (provider == nullptr) return error::kNoDevice;
    disk = {provider->media_size, provider->sector_size, 0, false, {}};
  } else {
    disk = disks_[descriptor.name];
  }
  if (disk.is_file) return error::kNotThisDevice;
  switch (request) {
    case kDiskSectorSize:
      std::memcpy(argument, &disk.sector_size, sizeof(disk.sector_size));
      return 0;
    case kDiskMediaSize:
      std::memcpy(argument, &disk.media_size, sizeof(disk.media_size));
      return 0;
    case kDiskFlush:
      return disk.flush_error;
    case kDiskDelete: {
      DeleteRange range;
      std::memcpy(&range, argument, sizeof(range));
      if (range.offset % disk.sector_size != 0 || range.length % disk.sector_size != 0 || range.length <= 0 ||
          range.offset < 0 || range.offset + range.length > disk.media_size) {
        return error::kInvalid;
      }
      if (disk.flush_error == 0) disks_[descriptor.name].deleted.push_back(range);
      return disk.flush_error;
    }
    default:
      return error::kNotThisDevice;
  }
}

int FakeKernel::ControlIoctl(unsigned long request, void* argument, Caller& caller) {
  switch (request) {
    case kCreateRequest:
    case kModifyRequest:
    case kDestroyRequest:
    case kCancelRequest:
    case kStartRequest:
    case kDoneRequest:
      break;
    default:
      return error::kNotThisDevice;
  }
  // All of them begin with the version.
  uint32_t version;
  std::memcpy(&version, argument, sizeof(version));
  if (version != kVersion) return error::kInvalid;
  switch (request) {
    case kCreateRequest:
      return DoCreate(*static_cast<Create*>(argument));
    case kModifyRequest:
      return DoModify(*static_cast<Modify*>(argument));
    case kDestroyRequest:
      return DoDestroy(*static_cast<Destroy*>(argument));
    case kCancelRequest:
      return DoCancel(*static_cast<Cancel*>(argument));
    case kStartRequest:
      return DoStart(*static_cast<Io*>(argument), caller);
    default:
      return DoDone(*static_cast<Io*>(argument), caller);
  }
}

bool FakeKernel::PanicsWithoutUnit(int32_t unit) {
  if (unit != kUnitByName) return false;
  PanicNow(kPanicName);
  return true;
}

FakeKernel::ProviderPointer FakeKernel::ByUnit(int32_t unit) {
  const auto found = units_.find(unit);
  return found == units_.end() || found->second->dying ? nullptr : found->second;
}

FakeKernel::ProviderPointer FakeKernel::ByName(const std::string& name) {
  for (const auto& [number, provider] : units_) {
    if (provider->name == name && !provider->dying) return provider;
  }
  return nullptr;
}

int FakeKernel::CheckReadProvider(const std::string& given, int64_t offset, int64_t media_size, uint32_t sector_size) {
  const std::string path = given.rfind("/dev/", 0) == 0 ? given : "/dev/" + given;
  const auto disk = disks_.find(path);
  if (disk == disks_.end() || disk->second.is_file) return error::kInvalid;
  if (offset % disk->second.sector_size != 0 || offset < 0) return error::kInvalid;
  if (sector_size % disk->second.sector_size != 0) return error::kInvalid;
  return offset + media_size > disk->second.media_size ? error::kInvalid : 0;
}

int FakeKernel::DoCreate(Create& create) {
  const uint32_t size = create.sector_size;
  if (size == 0 || (size & (size - 1)) != 0) return error::kInvalid;
  if (create.media_size <= 0 || create.media_size % size != 0) return error::kInvalid;
  if ((create.flags & kReadOnly) != 0 && (create.flags & kWriteOnly) != 0) return error::kInvalid;
  Lock lock(mutex_);
  std::string name = Text(create.name, sizeof(create.name));
  int unit = create.unit;
  if (unit == kUnitByName && name.empty()) return error::kInvalid;
  if (unit < kUnitByName || unit >= options_.max_units) return error::kInvalid;
  const std::string read_provider = Text(create.read_provider, sizeof(create.read_provider));
  if (!read_provider.empty()) {
    const int refused = CheckReadProvider(read_provider, create.read_offset, create.media_size, size);
    if (refused != 0) return refused;
  }
  if (unit >= 0) {
    if (units_.count(unit) != 0) return error::kExists;
  } else {
    int free = 0;
    while (units_.count(free) != 0) free++;
    if (free >= options_.max_units) return error::kTooManyUnits;
    if (unit == kUnitByName && ByName(name) != nullptr) return error::kExists;
    unit = free;
  }
  if (create.unit != kUnitByName) name = "ggate" + std::to_string(unit);
  const auto provider = std::make_shared<Provider>();
  provider->unit = unit;
  provider->name = name;
  provider->node = name.size() <= kLongestNodeName ? "/dev/" + name : "";
  provider->media_size = create.media_size;
  provider->sector_size = size;
  provider->flags = create.flags & (kReadOnly | kWriteOnly);
  provider->max_count = create.max_count > kQueueCap ? kQueueCap : create.max_count;
  provider->timeout = create.timeout;
  provider->info = Text(create.info, sizeof(create.info));
  provider->read_provider = read_provider;
  provider->read_offset = create.read_offset;
  provider->next_timeout = steady_clock::now() + options_.second * create.timeout;
  units_[unit] = provider;
  create.unit = unit;
  clock_changed_.notify_all();
  lock.unlock();
  Taste(name, false);
  return 0;
}

int FakeKernel::DoModify(Modify& modify) {
  Lock lock(mutex_);
  if (PanicsWithoutUnit(modify.unit)) return error::kInputOutput;
  const ProviderPointer provider = ByUnit(modify.unit);
  if (provider == nullptr) return error::kNoDevice;
  if ((modify.modify & kModifyMediaSize) != 0) {
    if (modify.media_size <= 0 || modify.media_size % provider->sector_size != 0) return error::kInvalid;
    if (modify.media_size == provider->media_size) return 0;
    provider->media_size = modify.media_size;
    const std::string name = provider->name;
    lock.unlock();
    Taste(name, true);
    return 0;
  }
  if ((modify.modify & kModifyInfo) != 0) provider->info = Text(modify.info, sizeof(modify.info));
  const std::string given = Text(modify.read_provider, sizeof(modify.read_provider));
  if ((modify.modify & kModifyReadProvider) != 0) {
    if (given.empty()) {
      PanicNow(kPanicDetach);
      return error::kInputOutput;
    }
    const std::string path = given.rfind("/dev/", 0) == 0 ? given : "/dev/" + given;
    if (disks_.count(path) == 0 || disks_[path].is_file) return error::kInvalid;
  }
  if ((modify.modify & kModifyReadOffset) != 0) {
    const std::string& reader = (modify.modify & kModifyReadProvider) != 0 ? given : provider->read_provider;
    if (reader.empty()) return error::kInvalid;
    const int refused = CheckReadProvider(reader, modify.read_offset, provider->media_size, provider->sector_size);
    if (refused != 0 && (modify.modify & kModifyReadProvider) != 0) PanicNow(kTopologyLock);
    if (refused != 0) return refused;
    provider->read_offset = modify.read_offset;
  }
  if ((modify.modify & kModifyReadProvider) != 0) provider->read_provider = given;
  return 0;
}

int FakeKernel::DoDestroy(Destroy& destroy) {
  Due due;
  {
    Lock lock(mutex_);
    const ProviderPointer provider = destroy.unit == kUnitByName
                                         ? ByName(Text(destroy.name, sizeof(destroy.name)))
                                         : ByUnit(destroy.unit);
    if (provider == nullptr) return error::kNoDevice;
    if (destroy.force == 0 && provider->opened > 0) return error::kBusy;
    provider->dying = true;
    if (options_.node_lingers.count() > 0) lingering_[provider->name] = steady_clock::now() + options_.node_lingers;
    provider->changed.notify_all();
    while (provider->calls > 0 && !ended_) provider->changed.wait(lock);
    for (const auto& bio : provider->in) due.emplace_back(bio, error::kNoDevice);
    for (const auto& bio : provider->out) due.emplace_back(bio, error::kNoDevice);
    provider->in.clear();
    provider->out.clear();
    units_.erase(provider->unit);
  }
  Finish(due);
  return 0;
}

int FakeKernel::DoCancel(Cancel& cancel) {
  Lock lock(mutex_);
  const ProviderPointer provider =
      cancel.unit == kUnitByName ? ByName(Text(cancel.name, sizeof(cancel.name))) : ByUnit(cancel.unit);
  if (provider == nullptr) return error::kNoDevice;
  auto& out = provider->out;
  std::vector<BioPointer> back;
  for (auto place = out.begin(); place != out.end();) {
    if (cancel.seq == 0 || (*place)->seq == cancel.seq) {
      back.push_back(*place);
      place = out.erase(place);
    } else {
      ++place;
    }
  }
  std::sort(back.begin(), back.end(), [](const auto& a, const auto& b) { return a->seq < b->seq; });
  provider->in.insert(provider->in.begin(), back.begin(), back.end());
  if (cancel.unit == kUnitByName) cancel.unit = provider->unit;
  // A sleeper in START is not woken.
  return 0;
}

int FakeKernel::DoStart(Io& io, Caller& caller) {
  Lock lock(mutex_);
  if (PanicsWithoutUnit(io.unit)) return error::kInputOutput;
  const ProviderPointer provider = ByUnit(io.unit);
  if (provider == nullptr) return error::kNoDevice;
  provider->calls++;
  const uint64_t interruptions = provider->interruptions;
  const auto leave = [&](int result) {
    provider->calls--;
    if (provider->dying) provider->changed.notify_all();
    return result;
  };
  BioPointer bio;
  for (;;) {
    if (ended_ || !panic_.empty() || !caller.Alive()) return leave(error::kInterrupted);
    if (provider->dying) {
      io.error = error::kCanceled;
      return leave(0);
    }
    if (!provider->in.empty()) {
      bio = provider->in.front();
      break;
    }
    // What interrupts a sleeper does nothing to a caller that finds a request.
    if (provider->interruptions != interruptions) {
      if (options_.release >= 13) return leave(error::kInterrupted);
      io.error = error::kCanceled;
      return leave(0);
    }
    provider->changed.wait(lock);
  }
  if (bio->command == kWrite && bio->length > io.length) {
    io.command = kWrite;
    io.length = bio->length;
    io.error = error::kNoMemory;
    return leave(0);
  }
  provider->in.pop_front();
  if (bio->command == kWrite && !caller.CopyOut(io.data, bio->data.data(), bio->data.size())) {
    provider->in.push_front(bio);
    return leave(error::kFault);
  }
  provider->out.push_back(bio);
  io.seq = bio->seq;
  io.command = bio->command;
  io.offset = bio->offset;
  io.length = bio->length;
  // `error` is left alone.
  return leave(0);
}

int FakeKernel::DoDone(Io& io, Caller& caller) {
  Due due;
  int result = 0;
  {
    Lock lock(mutex_);
    if (PanicsWithoutUnit(io.unit)) return error::kInputOutput;
    const ProviderPointer provider = ByUnit(io.unit);
    if (provider == nullptr) return error::kNoEntry;
    const auto place = std::find_if(provider->out.begin(), provider->out.end(),
                                    [&](const auto& bio) { return bio->seq == io.seq; });
    if (place == provider->out.end()) return 0;
    const BioPointer bio = *place;
    provider->out.erase(place);
    if (io.error == error::kAgain) {
      provider->in.push_front(bio);
      provider->changed.notify_one();
      return 0;
    }
    int outcome = io.error;
    if (bio->command == kRead && outcome == 0) {
      bio->data.resize(static_cast<size_t>(bio->length));
      if (!caller.CopyIn(io.data, bio->data.data(), bio->data.size())) result = outcome = error::kFault;
    }
    if (outcome == error::kNoMemory) {
      retries_.push_back({steady_clock::now() + options_.retry, provider->name, bio});
      clock_changed_.notify_all();
    } else {
      due.emplace_back(bio, outcome);
    }
  }
  Finish(due);
  return result;
}

// Puts a request into the in queue of a provider, or knows its end.
void FakeKernel::Enqueue(const ProviderPointer& provider, BioPointer bio, Due& due) {
  const bool writes = bio->command == kWrite || bio->command == kDelete || bio->command == kFlush;
  if (writes && (provider->flags & kReadOnly) != 0) {
    due.emplace_back(bio, error::kPermission);
    return;
  }
  if (bio->command == kRead && (provider->flags & kWriteOnly) != 0) {
    due.emplace_back(bio, error::kPermission);
    return;
  }
  if (bio->command != kRead && bio->command != kWrite && !writes && bio->command != kSpeedup) {
    due.emplace_back(bio, error::kNotSupported);
    return;
  }
  const size_t pending = provider->in.size() + provider->out.size();
  if (provider->max_count != 0 && pending > provider->max_count) {
    retries_.push_back({steady_clock::now() + options_.retry, provider->name, bio});
    clock_changed_.notify_all();
    return;
  }
  bio->seq = provider->seq++;
  bio->since = steady_clock::now();
  provider->in.push_back(std::move(bio));
  provider->changed.notify_all();
}

void FakeKernel::SubmitWhole(const std::string& name, BioPointer bio) {
  Due due;
  {
    Lock lock(mutex_);
    const ProviderPointer provider = panic_.empty() ? ByName(name) : nullptr;
    if (provider == nullptr) {
      due.emplace_back(bio, error::kNoDevice);
    } else {
      Enqueue(provider, bio, due);
    }
  }
  Finish(due);
}

void FakeKernel::Submit(const std::string& name, Bio given) {
  const auto bio = std::make_shared<Bio>(std::move(given));
  int64_t limit = 0;
  int64_t media_size = 0;
  uint32_t sector_size = 1;
  {
    Lock lock(mutex_);
    const ProviderPointer provider = ByName(name);
    if (provider != nullptr) {
      media_size = provider->media_size;
      sector_size = provider->sector_size;
      limit = options_.max_io_bytes;
    }
  }
  Due due;
  if (limit == 0) {
    due.emplace_back(bio, error::kNoDevice);
    Finish(due);
    return;
  }
  if (bio->command == kFlush) {
    bio->offset = media_size;
    bio->length = 0;
    SubmitWhole(name, bio);
    return;
  }
  const bool has_range = bio->command == kRead || bio->command == kWrite || bio->command == kDelete;
  if (has_range && (bio->offset % sector_size != 0 || bio->length % sector_size != 0 || bio->length <= 0)) {
    due.emplace_back(bio, error::kInvalid);
  } else if (has_range && (bio->offset < 0 || bio->offset > media_size - bio->length)) {
    due.emplace_back(bio, error::kInputOutput);
  }
  if (!due.empty()) {
    Finish(due);
    return;
  }
  if (bio->command == kDelete || bio->length <= limit) {
    SubmitWhole(name, bio);
    return;
  }
  // As physio does: piece after piece, all of one request, together here.
  struct Joint {
    std::mutex mutex;
    int64_t left;
    int error = 0;
  };
  const auto joint = std::make_shared<Joint>();
  joint->left = (bio->length + limit - 1) / limit;
  if (bio->command == kRead) bio->data.resize(static_cast<size_t>(bio->length));
  for (int64_t at = 0; at < bio->length; at += limit) {
    const auto part = std::make_shared<Bio>();
    part->command = bio->command;
    part->offset = bio->offset + at;
    part->length = std::min(limit, bio->length - at);
    if (bio->command == kWrite) {
      part->data.assign(bio->data.begin() + at, bio->data.begin() + at + part->length);
    }
    part->done = [this, bio, joint, at](int error, Bio& piece) {
      bool is_last;
      int outcome;
      {
        std::lock_guard<std::mutex> lock(joint->mutex);
        if (bio->command == kRead && error == 0) std::copy(piece.data.begin(), piece.data.end(), bio->data.begin() + at);
        if (error != 0) joint->error = error;
        is_last = --joint->left == 0;
        outcome = joint->error;
      }
      if (!is_last) return;
      Due last{{bio, outcome}};
      Finish(last);
    };
    SubmitWhole(name, part);
  }
}

// Without the lock: whoever is told may come back at once.
void FakeKernel::Finish(Due& due) {
  for (auto& [bio, error] : due) {
    {
      Lock lock(mutex_);
      if (bio->finished) {
        doubled_++;
        continue;
      }
      bio->finished = true;
    }
    if (bio->done) bio->done(error, *bio);
  }
}

void FakeKernel::Taste(const std::string& name, bool wait) {
  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    int left;
  };
  const auto waiting = std::make_shared<Waiting>();
  waiting->left = options_.taste_reads;
  const Unit unit = Look(name);
  if (unit.number < 0) return;
  for (int i = 0; i < options_.taste_reads; i++) {
    const auto bio = std::make_shared<Bio>();
    bio->command = kRead;
    bio->length = unit.sector_size;
    bio->offset = i % 2 == 0 ? 0 : unit.media_size - unit.sector_size;
    bio->done = [waiting](int, Bio&) {
      std::lock_guard<std::mutex> lock(waiting->mutex);
      waiting->left--;
      waiting->changed.notify_all();
    };
    SubmitWhole(name, bio);
  }
  if (!wait) return;
  std::unique_lock<std::mutex> lock(waiting->mutex);
  waiting->changed.wait(lock, [&] { return waiting->left == 0; });
}

int FakeKernel::OpenProvider(const std::string& name, bool) {
  Lock lock(mutex_);
  const ProviderPointer provider = ByName(name);
  if (provider == nullptr || provider->node.empty()) return error::kNoEntry;
  provider->opened++;
  return 0;
}

void FakeKernel::CloseProvider(const std::string& name, bool writable) {
  {
    Lock lock(mutex_);
    const ProviderPointer provider = ByName(name);
    if (provider == nullptr) return;
    provider->opened--;
  }
  if (writable) Taste(name, true);
}

int FakeKernel::ReadNow(const std::string& name, int64_t offset, std::vector<uint8_t>& target) {
  std::mutex mutex;
  std::condition_variable changed;
  int outcome = -1;
  Bio bio;
  bio.command = kRead;
  bio.offset = offset;
  bio.length = static_cast<int64_t>(target.size());
  bio.done = [&](int error, Bio& read) {
    std::lock_guard<std::mutex> lock(mutex);
    if (error == 0) target = read.data;
    outcome = error;
    changed.notify_all();
  };
  Submit(name, std::move(bio));
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return outcome >= 0; });
  return outcome;
}

int FakeKernel::WriteNow(const std::string& name, int64_t offset, const std::vector<uint8_t>& source) {
  std::mutex mutex;
  std::condition_variable changed;
  int outcome = -1;
  Bio bio;
  bio.command = kWrite;
  bio.offset = offset;
  bio.length = static_cast<int64_t>(source.size());
  bio.data = source;
  bio.done = [&](int error, Bio&) {
    std::lock_guard<std::mutex> lock(mutex);
    outcome = error;
    changed.notify_all();
  };
  Submit(name, std::move(bio));
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return outcome >= 0; });
  return outcome;
}

void FakeKernel::InterruptSleepers() {
  Lock lock(mutex_);
  for (auto& [number, provider] : units_) {
    provider->interruptions++;
    provider->changed.notify_all();
  }
}

void FakeKernel::ProcessesEnded() {
  Lock lock(mutex_);
  for (auto& [number, provider] : units_) provider->changed.notify_all();
}

FakeKernel::Unit FakeKernel::Look(const std::string& name) {
  Lock lock(mutex_);
  const ProviderPointer provider = ByName(name);
  if (provider == nullptr) return {-1, "", 0, 0, "", "", 0, 0, 0, 0};
  return {provider->unit,          provider->name,        provider->media_size, provider->sector_size,
          provider->info,          provider->read_provider, provider->read_offset, provider->in.size(),
          provider->out.size(),    provider->seq - 1};
}

std::string FakeKernel::Panic() {
  Lock lock(mutex_);
  return panic_;
}

int FakeKernel::Doubled() {
  Lock lock(mutex_);
  return doubled_;
}

void FakeKernel::PanicNow(const std::string& why) {
  panic_ = why;
  for (auto& [number, provider] : units_) provider->changed.notify_all();
}

// Timeouts, and requests that GEOM submits again.
void FakeKernel::Clock() {
  Lock lock(mutex_);
  while (!ended_) {
    auto next = steady_clock::now() + std::chrono::hours(1);
    Due due;
    std::vector<Retry> again;
    const auto now = steady_clock::now();
    for (auto place = retries_.begin(); place != retries_.end();) {
      if (place->at <= now) {
        again.push_back(*place);
        place = retries_.erase(place);
      } else {
        next = std::min(next, place->at);
        ++place;
      }
    }
    for (auto& [number, provider] : units_) {
      if (provider->timeout == 0) continue;
      if (provider->next_timeout <= now) {
        for (auto* queue : {&provider->in, &provider->out}) {
          for (auto place = queue->begin(); place != queue->end();) {
            if (now - (*place)->since >= options_.second * kTooOldSeconds) {
              due.emplace_back(*place, error::kInputOutput);
              place = queue->erase(place);
            } else {
              ++place;
            }
          }
        }
        provider->next_timeout = now + options_.second * provider->timeout;
      }
      next = std::min(next, provider->next_timeout);
    }
    if (!due.empty() || !again.empty()) {
      lock.unlock();
      Finish(due);
      for (auto& retry : again) SubmitWhole(retry.name, retry.bio);
      lock.lock();
      continue;
    }
    clock_changed_.wait_until(lock, next);
  }
}

}  // namespace ggate
