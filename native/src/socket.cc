// Stream sockets without Node's stream objects: bytes are received where JavaScript wants them, and everything that a
// turn has to send goes out with one call. native/addon.ts says what each function does.
#include "addon.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <memory>

namespace {

constexpr int kReadable = 1;
constexpr int kWritable = 2;
// Pieces given to the system at once.
constexpr size_t kMaxPieces = 256;

class PolledSocket : public Napi::ObjectWrap<PolledSocket> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "PolledSocket",
                       {
                           InstanceMethod<&PolledSocket::Watch>("watch"),
                           InstanceMethod<&PolledSocket::Receive>("receive"),
                           InstanceMethod<&PolledSocket::Send>("send"),
                           InstanceMethod<&PolledSocket::Release>("release"),
                       });
  }

  explicit PolledSocket(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PolledSocket>(info), env_(info.Env()) {
    ready_ = Napi::Persistent(info[1].As<Napi::Function>());
    context_ = std::make_unique<Napi::AsyncContext>(env_, "hast.socket");
    fd_ = fcntl(IntAt(info, 0), F_DUPFD_CLOEXEC, 0);
    if (fd_ < 0) {
      Fail(errno);
      return;
    }
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(env_, &loop);
    poll_ = new uv_poll_t;
    const int result = uv_poll_init_socket(loop, poll_, fd_);
    if (result < 0) {
      delete poll_;
      poll_ = nullptr;
      close(fd_);
      fd_ = -1;
      Fail(-result);
      return;
    }
    poll_->data = this;
    napi_add_env_cleanup_hook(env_, EnvEnds, this);
    // As long as it is open it is in use.
    Ref();
  }

  ~PolledSocket() override { Stop(true); }

 private:
  void Fail(int error) {
    Napi::Error failure = Napi::Error::New(env_, "the socket cannot be polled");
    failure.Set("code", Napi::String::New(env_, uv_err_name(-error)));
    failure.ThrowAsJavaScriptException();
  }

  Napi::Value Watch(const Napi::CallbackInfo& info) {
    const int events = IntAt(info, 0);
    if (poll_ == nullptr || events == events_) return env_.Undefined();
    events_ = events;
    Start();
    return env_.Undefined();
  }

  void Start() {
    const int wanted = ((events_ & kReadable) ? UV_READABLE : 0) | ((events_ & kWritable) ? UV_WRITABLE : 0);
    if (wanted == 0) uv_poll_stop(poll_);
    else uv_poll_start(poll_, wanted, Ready);
  }

  static void Ready(uv_poll_t* poll, int status, int events) {
    auto* const self = static_cast<PolledSocket*>(poll->data);
    const Napi::Env env = self->env_;
    const Napi::HandleScope scope(env);
    // What went wrong is told by the call that fails.
    const int ready = status < 0 ? kReadable | kWritable
                                 : ((events & UV_READABLE) ? kReadable : 0) | ((events & UV_WRITABLE) ? kWritable : 0);
    self->ready_.Value().MakeCallback(env.Global(), {Napi::Number::New(env, ready)}, *self->context_);
    if (env.IsExceptionPending()) napi_fatal_exception(env, env.GetAndClearPendingException().Value());
    // With an error libuv stops watching.
    if (status < 0 && self->poll_ != nullptr) self->Start();
  }

  Napi::Value Receive(const Napi::CallbackInfo& info) {
    auto target = info[0].As<Napi::Uint8Array>();
    ssize_t bytes;
    do {
      bytes = recv(fd_, target.Data(), target.ByteLength(), MSG_DONTWAIT);
    } while (bytes < 0 && errno == EINTR);
    return Napi::Number::New(env_, static_cast<double>(bytes < 0 ? -errno : bytes));
  }

  Napi::Value Send(const Napi::CallbackInfo& info) {
    const auto chunks = info[0].As<Napi::Array>();
    const uint32_t count = chunks.Length();
    size_t skip = static_cast<size_t>(Int64At(info, 1));
    int64_t sent = 0;
    for (uint32_t next = 0; next < count;) {
      iovec pieces[kMaxPieces];
      size_t used = 0;
      size_t bytes = 0;
      for (; next < count && used < kMaxPieces; next++) {
        const Napi::HandleScope scope(env_);
        auto chunk = Napi::Value(chunks.Get(next)).As<Napi::Uint8Array>();
        pieces[used] = {chunk.Data() + skip, chunk.ByteLength() - skip};
        bytes += pieces[used++].iov_len;
        skip = 0;
      }
      msghdr message = {};
      message.msg_iov = pieces;
      message.msg_iovlen = used;
      ssize_t result;
      do {
        result = sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      } while (result < 0 && errno == EINTR);
      // An error shows again in the next call, once what was sent before it is counted.
      if (result < 0 && errno != EAGAIN && errno != EWOULDBLOCK && sent == 0) return Napi::Number::New(env_, -errno);
      sent += std::max<ssize_t>(result, 0);
      if (result < static_cast<ssize_t>(bytes)) break;
    }
    return Napi::Number::New(env_, static_cast<double>(sent));
  }

  Napi::Value Release(const Napi::CallbackInfo& info) {
    const bool closes = info[0].ToBoolean();
    const int fd = fd_;
    Stop(closes);
    return Napi::Number::New(env_, closes ? -1 : fd);
  }

  // Nothing is watched any more, and the descriptor is closed or somebody else's.
  void Stop(bool closes) {
    if (poll_ == nullptr) return;
    napi_remove_env_cleanup_hook(env_, EnvEnds, this);
    CloseHandle(closes);
    // It refers to whoever refers to this.
    ready_.Reset();
    Unref();
  }

  void CloseHandle(bool closes) {
    uv_poll_stop(poll_);
    uv_close(reinterpret_cast<uv_handle_t*>(poll_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
    poll_ = nullptr;
    if (closes) close(fd_);
    fd_ = -1;
  }

  static void EnvEnds(void* socket) { static_cast<PolledSocket*>(socket)->CloseHandle(true); }

  const Napi::Env env_;
  Napi::FunctionReference ready_;
  std::unique_ptr<Napi::AsyncContext> context_;
  int fd_ = -1;
  int events_ = 0;
  uv_poll_t* poll_ = nullptr;
};

}  // namespace

void InitSocket(Napi::Env env, Napi::Object exports) { exports.Set("PolledSocket", PolledSocket::Define(env)); }
