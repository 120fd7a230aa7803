// What Node lacks for a storage daemon; native/addon.ts says what each function does.
#pragma once
#include <napi.h>

#include <cerrno>
#include <functional>
#include <utility>

void InitCodecs(Napi::Env env, Napi::Object exports);
void InitDevice(Napi::Env env, Napi::Object exports);
void InitDiskPool(Napi::Env env, Napi::Object exports);
void InitGgate(Napi::Env env, Napi::Object exports);
void InitMemory(Napi::Env env, Napi::Object exports);
void InitProcess(Napi::Env env, Napi::Object exports);
void InitSocket(Napi::Env env, Napi::Object exports);
void InitSyslog(Napi::Env env, Napi::Object exports);
void InitTransfer(Napi::Env env, Napi::Object exports);

// Everything there is.
inline Napi::Object InitAddon(Napi::Env env, Napi::Object exports) {
  InitCodecs(env, exports);
  InitDevice(env, exports);
  InitDiskPool(env, exports);
  InitGgate(env, exports);
  InitMemory(env, exports);
  InitProcess(env, exports);
  InitSocket(env, exports);
  InitSyslog(env, exports);
  InitTransfer(env, exports);
  return exports;
}

// 0, or why the system call that returned `result` failed.
inline int ErrnoOf(int result) { return result < 0 ? errno : 0; }

// Offsets and lengths are safe integers in JavaScript.
inline int64_t Int64At(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().Int64Value();
}

inline int IntAt(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().Int32Value();
}

// A system call that may block: it runs in the thread pool, and the callback gets the errno, 0 for success.
class Blocking : public Napi::AsyncWorker {
 public:
  Blocking(const Napi::Function& finished, std::function<int()> call)
      : Napi::AsyncWorker(finished), call_(std::move(call)) {}

  void Execute() override { errno_ = call_(); }
  void OnOK() override { Callback().Call({Napi::Number::New(Env(), errno_)}); }

 private:
  std::function<int()> call_;
  int errno_ = 0;
};

// Runs `call`; the callback is the argument at `index`.
inline Napi::Value RunBlocking(const Napi::CallbackInfo& info, size_t index, std::function<int()> call) {
  (new Blocking(info[index].As<Napi::Function>(), std::move(call)))->Queue();
  return info.Env().Undefined();
}
