#include "addon.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  InitDevice(env, exports);
  InitGgate(env, exports);
  InitMemory(env, exports);
  InitProcess(env, exports);
  InitSyslog(env, exports);
  return exports;
}

NODE_API_MODULE(hast, Init)
