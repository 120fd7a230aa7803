// The table of the addon for tests: system calls go to the fake kernel whose socket HAST_GGATE_KERNEL or `useKernel` names.
// Every thread has its own connection, on which it waits as it would in the kernel.
#include "remote-system.h"

#include "abi.h"
#include "protocol.h"
#include "system.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <sys/un.h>

namespace ggate {
namespace {

std::mutex kernel_mutex;
std::string kernel_path;

std::string KernelPath() {
  std::lock_guard<std::mutex> lock(kernel_mutex);
  const char* const inherited = getenv("HAST_GGATE_KERNEL");
  return kernel_path.empty() && inherited != nullptr ? inherited : kernel_path;
}

class Connection {
 public:
  ~Connection() {
    if (socket_ >= 0) close(socket_);
  }

  // False: there is no kernel.
  bool Call(Header header, const std::vector<uint8_t>& payload, int* result, std::vector<uint8_t>* answer) {
    const std::string path = KernelPath();
    if ((socket_ < 0 || path != path_) && !Connect(path)) return false;
    header.bytes = static_cast<uint32_t>(payload.size());
    Reply reply = {};
    if (!SendAll(socket_, &header, sizeof(header)) || !SendAll(socket_, payload.data(), payload.size()) ||
        !ReceiveAll(socket_, &reply, sizeof(reply))) {
      return false;
    }
    answer->resize(reply.bytes);
    *result = reply.result;
    return ReceiveAll(socket_, answer->data(), answer->size());
  }

 private:
  bool Connect(const std::string& path) {
    if (socket_ >= 0) close(socket_);
    path_ = path;
    sockaddr_un address = {};
    if (path.empty() || path.size() >= sizeof(address.sun_path)) return false;
    address.sun_family = AF_UNIX;
    strcpy(address.sun_path, path.c_str());
    socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return socket_ >= 0 && connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }

  int socket_ = -1;
  std::string path_;
};

class RemoteSystem : public System {
 public:
  int Open(const char* path, bool writable) override {
    Header header = {};
    header.op = Op::kOpen;
    header.a = writable ? 1 : 0;
    return Ask(header, path, -error::kNoEntry);
  }

  void Close(int descriptor) override {
    Header header = {};
    header.op = Op::kClose;
    header.a = static_cast<uint64_t>(descriptor);
    Ask(header, "", 0);
  }

  int Ioctl(int descriptor, unsigned long request, void* argument) override {
    Header header = {};
    header.op = Op::kIoctl;
    header.a = request;
    header.b = descriptor;
    const size_t bytes = ArgumentBytes(request);
    const auto* const given = static_cast<const uint8_t*>(argument);
    std::vector<uint8_t> payload(given, given + bytes);
    Io io;
    if (request == kDoneRequest) {
      std::memcpy(&io, argument, sizeof(io));
      const auto* const data = reinterpret_cast<const uint8_t*>(io.data);
      if (io.command == kRead && io.error == 0) payload.insert(payload.end(), data, data + io.length);
    }
    if (request == kStartRequest) std::memcpy(&io, argument, sizeof(io));
    int result = 0;
    std::vector<uint8_t> answer;
    if (!connection_.Call(header, payload, &result, &answer)) return error::kBadDescriptor;
    std::memcpy(argument, answer.data(), bytes);
    if (request == kStartRequest && answer.size() > bytes) {
      std::memcpy(reinterpret_cast<void*>(io.data), answer.data() + bytes, answer.size() - bytes);
    }
    return result;
  }

  bool Exists(const char* path) override { return AskAbout(Op::kExists, path, 0) != 0; }
  bool HasModule(const char* name) override { return AskAbout(Op::kHasModule, name, 0) != 0; }
  int LoadModule(const char* file) override { return AskAbout(Op::kLoadModule, file, error::kNoEntry); }

 private:
  int AskAbout(Op op, const char* what, int otherwise) {
    Header header = {};
    header.op = op;
    return Ask(header, what, otherwise);
  }

  int Ask(const Header& header, const char* text, int otherwise) {
    int result = 0;
    std::vector<uint8_t> answer;
    const std::vector<uint8_t> payload(text, text + strlen(text));
    return connection_.Call(header, payload, &result, &answer) ? result : otherwise;
  }

  static thread_local Connection connection_;
};

thread_local Connection RemoteSystem::connection_;

}  // namespace

void UseKernel(const std::string& path) {
  std::lock_guard<std::mutex> lock(kernel_mutex);
  kernel_path = path;
}

System& TheSystem() {
  static RemoteSystem* const system = new RemoteSystem();
  return *system;
}

}  // namespace ggate
