#pragma once
#include <string>

namespace ggate {

// From now on system calls of this process go to the kernel with that socket.
void UseKernel(const std::string& path);

}  // namespace ggate
