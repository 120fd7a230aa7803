// How threads of the addon and JavaScript meet: wake-ups in one direction, arrays that both can see.
#pragma once
#include <napi.h>

#include <mutex>

// Wakes JavaScript from any thread, as long as there is any. Not by way of Napi::ThreadSafeFunction: that aborts when
// JavaScript's thread is told to end in the middle of a call.
class Waker {
 public:
  Waker(const Napi::Function& wake, const char* who) : env_(wake.Env()) {
    const Napi::String name = Napi::String::New(env_, who);
    napi_create_threadsafe_function(env_, wake, nullptr, name, 0, 1, nullptr, nullptr, nullptr, nullptr, &function_);
    napi_add_env_cleanup_hook(env_, EnvEnds, this);
  }

  void Wake() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (alive_) napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
  }

  // JavaScript's thread: no more calls, and the event loop may end.
  void Release() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!alive_) return;
    alive_ = false;
    napi_remove_env_cleanup_hook(env_, EnvEnds, this);
    napi_release_threadsafe_function(function_, napi_tsfn_release);
  }

  // JavaScript's thread: whether the event loop goes on for its sake, as it does in the beginning.
  void KeepLoop(bool keeps) {
    if (!alive_) return;
    if (keeps) napi_ref_threadsafe_function(env_, function_);
    else napi_unref_threadsafe_function(env_, function_);
  }

 private:
  static void EnvEnds(void* waker) {
    auto* const self = static_cast<Waker*>(waker);
    std::lock_guard<std::mutex> lock(self->mutex_);
    self->alive_ = false;
  }

  const Napi::Env env_;
  std::mutex mutex_;
  bool alive_ = true;
  napi_threadsafe_function function_ = nullptr;
};

// What a typed array of JavaScript's points to, for as long as this lives.
template <typename Array, typename Element>
class Shared {
 public:
  void Hold(const Napi::Object& options, const char* name) {
    Array array = options.Get(name).As<Array>();
    reference_ = Napi::Persistent(array.template As<Napi::Object>());
    data_ = array.Data();
    length_ = array.ElementLength();
  }
  Element& operator[](size_t index) { return data_[index]; }
  size_t length() const { return length_; }

 private:
  Napi::ObjectReference reference_;
  Element* data_ = nullptr;
  size_t length_ = 0;
};
