// What processes say to the fake kernel (server.cc) over its Unix socket: a header with a payload, and the same back.
// Integers are little-endian. Requests of applications are answered when they are done, everything else at once, and
// START when the kernel has something.
#pragma once
#include <cerrno>
#include <cstdint>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace ggate {

enum class Op : uint32_t {
  // System calls.
  kOpen = 1,        // a: writable; payload: path
  kClose = 2,       // a: descriptor
  kIoctl = 3,       // a: request, b: descriptor; payload: argument, then the data of a READ's DONE
  kExists = 4,      // payload: path
  kHasModule = 5,   // payload: name
  kLoadModule = 6,  // payload: file
  // Applications. The payload begins with the provider's name, c bytes.
  kSubmit = 10,  // a: command, b: offset, d: length; payload: name, data of a WRITE
  kOpenProvider = 11,
  kCloseProvider = 12,
  // People.
  kDestroy = 20,    // by force
  kInterrupt = 21,  // every sleeper in START
  kLook = 22,       // gives JSON
};

struct Header {
  Op op;
  uint32_t id;
  uint64_t a;
  int64_t b;
  int64_t c;
  int64_t d;
  uint32_t bytes;
  uint32_t padding;
};
static_assert(sizeof(Header) == 48, "the header is as tests in other languages make it");

struct Reply {
  uint32_t id;
  int32_t result;
  uint32_t bytes;
  uint32_t padding;
};
static_assert(sizeof(Reply) == 16, "the reply is as tests in other languages read it");

inline bool SendAll(int socket, const void* data, size_t bytes) {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t sent = send(socket, at, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    at += sent;
    bytes -= static_cast<size_t>(sent);
  }
  return true;
}

inline bool ReceiveAll(int socket, void* data, size_t bytes) {
  char* at = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t received = recv(socket, at, bytes, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return false;
    at += received;
    bytes -= static_cast<size_t>(received);
  }
  return true;
}

// The argument of an ioctl has the size that its request says.
inline size_t ArgumentBytes(uint64_t request) { return (request >> 16) & 0x1fff; }

}  // namespace ggate
