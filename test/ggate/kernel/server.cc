// The fake kernel as a process of its own, so that it outlives those that use it: `ggate_kernel SOCKET [OPTION=VALUE...]`
// with the options release, taste, module. Prints `ready`.
//
// A process that is killed leaves the kernel before anybody can notice its death. Here its sockets close then, so whoever
// sleeps or asks is looked at before anything is given or taken.
#include "fake-kernel.h"
#include "protocol.h"

#include <csignal>
#include <cstring>
#include <iostream>
#include <poll.h>
#include <sstream>
#include <sys/un.h>

// Older FreeBSD has one for both.
#ifndef POLLRDHUP
#define POLLRDHUP POLLHUP
#endif

using namespace ggate;

namespace {

constexpr auto kLookAround = std::chrono::milliseconds(5);

class Connection : public Caller, public std::enable_shared_from_this<Connection> {
 public:
  Connection(FakeKernel& kernel, int socket) : kernel_(kernel), socket_(socket) {}
  ~Connection() override { close(socket_); }

  void Serve() {
    Header header;
    while (ReceiveAll(socket_, &header, sizeof(header))) {
      std::vector<uint8_t> payload(header.bytes);
      if (!ReceiveAll(socket_, payload.data(), payload.size())) break;
      // What a process asked for and did not live to see is not done.
      if (header.op == Op::kIoctl && !Alive()) break;
      Handle(header, payload);
    }
    shutdown(socket_, SHUT_RDWR);
  }

  bool Alive() override {
    pollfd descriptor = {socket_, POLLRDHUP, 0};
    return poll(&descriptor, 1, 0) == 0;
  }

  bool CopyOut(uint64_t address, const void* source, size_t bytes) override {
    if (address == 0) return false;
    data_.assign(static_cast<const uint8_t*>(source), static_cast<const uint8_t*>(source) + bytes);
    return true;
  }

  bool CopyIn(uint64_t address, void* target, size_t bytes) override {
    if (address == 0 || bytes > data_.size()) return false;
    std::memcpy(target, data_.data(), bytes);
    return true;
  }

 private:
  void Handle(const Header& header, std::vector<uint8_t>& payload) {
    const std::string text(payload.begin(), payload.end());
    const std::string name = text.substr(0, static_cast<size_t>(header.c));
    switch (header.op) {
      case Op::kOpen:
        return Answer(header.id, kernel_.Open(text, header.a != 0));
      case Op::kClose:
        kernel_.Close(static_cast<int>(header.a));
        return Answer(header.id, 0);
      case Op::kIoctl:
        return Ioctl(header, payload);
      case Op::kExists:
        return Answer(header.id, kernel_.Exists(text) ? 1 : 0);
      case Op::kHasModule:
        return Answer(header.id, kernel_.HasModule(text) ? 1 : 0);
      case Op::kLoadModule:
        return Answer(header.id, kernel_.LoadModule(text));
      case Op::kSubmit:
        return Submit(header, name, payload);
      case Op::kOpenProvider:
        return Answer(header.id, kernel_.OpenProvider(name, header.a != 0));
      case Op::kCloseProvider:
        kernel_.CloseProvider(name, header.a != 0);
        return Answer(header.id, 0);
      case Op::kDestroy:
        return Destroy(header.id, name);
      case Op::kInterrupt:
        kernel_.InterruptSleepers();
        return Answer(header.id, 0);
      case Op::kLook:
        return Look(header.id, name);
    }
  }

  void Ioctl(const Header& header, std::vector<uint8_t>& payload) {
    const size_t bytes = ArgumentBytes(header.a);
    data_.assign(payload.begin() + bytes, payload.end());
    payload.resize(bytes);
    const bool starts = header.a == kStartRequest;
    const int result = kernel_.Ioctl(static_cast<int>(header.b), header.a, payload.data(), *this);
    if (starts) payload.insert(payload.end(), data_.begin(), data_.end());
    data_.clear();
    Answer(header.id, result, payload);
  }

  void Submit(const Header& header, const std::string& name, const std::vector<uint8_t>& payload) {
    Bio bio;
    bio.command = static_cast<uint32_t>(header.a);
    bio.offset = header.b;
    bio.length = header.d;
    if (bio.command == kWrite) bio.data.assign(payload.begin() + header.c, payload.end());
    bio.done = [self = shared_from_this(), id = header.id](int error, Bio& done) {
      const bool has_data = done.command == kRead && error == 0;
      self->Answer(id, error, has_data ? done.data : std::vector<uint8_t>());
    };
    kernel_.Submit(name, std::move(bio));
  }

  void Destroy(uint32_t id, const std::string& name) {
    struct Destroy destroy = {};
    destroy.version = kVersion;
    destroy.unit = kUnitByName;
    destroy.force = 1;
    std::strncpy(destroy.name, name.c_str(), sizeof(destroy.name) - 1);
    const int control = kernel_.Open(kControlPath, true);
    const int result = kernel_.Ioctl(control, kDestroyRequest, &destroy, *this);
    kernel_.Close(control);
    Answer(id, result);
  }

  void Look(uint32_t id, const std::string& name) {
    const FakeKernel::Unit unit = kernel_.Look(name);
    std::ostringstream json;
    json << "{\"unit\":" << unit.number << ",\"mediaSize\":" << unit.media_size
         << ",\"sectorSize\":" << unit.sector_size << ",\"info\":\"" << unit.info
         << "\",\"inQueue\":" << unit.in_queue << ",\"outQueue\":" << unit.out_queue
         << ",\"doubled\":" << kernel_.Doubled() << ",\"panic\":\"" << kernel_.Panic() << "\"}";
    const std::string text = json.str();
    Answer(id, 0, std::vector<uint8_t>(text.begin(), text.end()));
  }

  void Answer(uint32_t id, int result, const std::vector<uint8_t>& payload = {}) {
    std::lock_guard<std::mutex> lock(sending_);
    const Reply reply = {id, result, static_cast<uint32_t>(payload.size()), 0};
    if (SendAll(socket_, &reply, sizeof(reply))) SendAll(socket_, payload.data(), payload.size());
  }

  FakeKernel& kernel_;
  const int socket_;
  std::mutex sending_;
  // Memory of the process as far as the present call needs it.
  std::vector<uint8_t> data_;
};

FakeKernel::Options OptionsIn(int count, char** arguments) {
  FakeKernel::Options options;
  options.taste_reads = 0;
  for (int i = 2; i < count; i++) {
    const std::string text = arguments[i];
    const size_t equals = text.find('=');
    const int value = std::stoi(text.substr(equals + 1));
    if (text.rfind("release=", 0) == 0) options.release = value;
    if (text.rfind("taste=", 0) == 0) options.taste_reads = value;
    if (text.rfind("module=", 0) == 0) options.has_module = value != 0;
  }
  return options;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::cerr << "usage: ggate_kernel SOCKET [release=12|13] [taste=READS] [module=0|1]" << std::endl;
    return 64;
  }
  signal(SIGPIPE, SIG_IGN);
  FakeKernel& kernel = *new FakeKernel(OptionsIn(count, arguments));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, arguments[1], sizeof(address.sun_path) - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 || listen(listener, 64) != 0) {
    std::cerr << "cannot listen on " << arguments[1] << ": " << std::strerror(errno) << std::endl;
    return 1;
  }
  std::cout << "ready" << std::endl;
  // Sleepers of dead processes leave.
  std::thread([&kernel] {
    for (;;) {
      std::this_thread::sleep_for(kLookAround);
      kernel.ProcessesEnded();
    }
  }).detach();
  // It ends with whoever started it: their end of our standard input closes.
  std::thread([] {
    char byte;
    while (read(0, &byte, 1) > 0) {
    }
    _exit(0);
  }).detach();
  for (;;) {
    const int accepted = accept(listener, nullptr, nullptr);
    if (accepted < 0) continue;
    const auto connection = std::make_shared<Connection>(kernel, accepted);
    std::thread([connection] { connection->Serve(); }).detach();
  }
}
