// Every system call of the GEOM gate driver, in one table: the real one is system.cc, tests put a kernel of their own
// behind it. Results are 0 or a FreeBSD errno number (abi.h); `Open` gives a descriptor, or the number negated.
#pragma once

namespace ggate {

class System {
 public:
  virtual ~System() = default;
  // `writable`: for reading and writing, else for reading.
  virtual int Open(const char* path, bool writable) = 0;
  virtual void Close(int descriptor) = 0;
  virtual int Ioctl(int descriptor, unsigned long request, void* argument) = 0;
  virtual bool Exists(const char* path) = 0;
  virtual bool HasModule(const char* name) = 0;
  virtual int LoadModule(const char* file) = 0;
};

// The table of this build.
System& TheSystem();

}  // namespace ggate
