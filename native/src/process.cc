// Privileges of this process, and who is at the other end of a Unix socket (core/spec/integration.md section 2).
#include "addon.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#elif defined(__FreeBSD__)
#include <sys/procctl.h>
#endif

// On Linux this is the calling thread's, the main one's, from which all programs are started.
static Napi::Value NoNewPrivileges(const Napi::CallbackInfo& info) {
#if defined(__linux__)
  const int error = ErrnoOf(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
#elif defined(PROC_NO_NEW_PRIVS_CTL)
  int enable = PROC_NO_NEW_PRIVS_ENABLE;
  const int error = ErrnoOf(procctl(P_PID, 0, PROC_NO_NEW_PRIVS_CTL, &enable));
#else
  const int error = ENOSYS;
#endif
  return Napi::Number::New(info.Env(), error);
}

static Napi::Value PeerCredentials(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
#if defined(__linux__)
  struct ucred peer = {};
  socklen_t length = sizeof(peer);
  const int error = ErrnoOf(getsockopt(IntAt(info, 0), SOL_SOCKET, SO_PEERCRED, &peer, &length));
  const uid_t uid = peer.uid;
  const gid_t gid = peer.gid;
#else
  uid_t uid = 0;
  gid_t gid = 0;
  const int error = ErrnoOf(getpeereid(IntAt(info, 0), &uid, &gid));
#endif
  if (error != 0) return Napi::Number::New(env, error);
  Napi::Object credentials = Napi::Object::New(env);
  credentials.Set("uid", Napi::Number::New(env, uid));
  credentials.Set("gid", Napi::Number::New(env, gid));
  return credentials;
}

void InitProcess(Napi::Env env, Napi::Object exports) {
  exports.Set("noNewPrivileges", Napi::Function::New(env, NoNewPrivileges));
  exports.Set("peerCredentials", Napi::Function::New(env, PeerCredentials));
}
