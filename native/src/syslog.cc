// syslog(3), for the log of the daemons (core/spec/cli.md section 8).
#include "addon.h"

#include <syslog.h>

#include <string>

// Text inside is one character per byte.
static std::string BytesOf(const Napi::Value& text) {
  size_t length = 0;
  napi_get_value_string_latin1(text.Env(), text, nullptr, 0, &length);
  std::string bytes(length, '\0');
  napi_get_value_string_latin1(text.Env(), text, bytes.data(), length + 1, &length);
  return bytes;
}

static Napi::Value Openlog(const Napi::CallbackInfo& info) {
  // openlog(3) keeps the pointer.
  static std::string ident;
  ident = BytesOf(info[0]);
  openlog(ident.c_str(), LOG_PID | LOG_NDELAY, IntAt(info, 1));
  return info.Env().Undefined();
}

static Napi::Value Syslog(const Napi::CallbackInfo& info) {
  syslog(IntAt(info, 0), "%s", BytesOf(info[1]).c_str());
  return info.Env().Undefined();
}

static Napi::Value Closelog(const Napi::CallbackInfo& info) {
  closelog();
  return info.Env().Undefined();
}

void InitSyslog(Napi::Env env, Napi::Object exports) {
  exports.Set("openlog", Napi::Function::New(env, Openlog));
  exports.Set("syslog", Napi::Function::New(env, Syslog));
  exports.Set("closelog", Napi::Function::New(env, Closelog));
}
