// The GEOM gate driver for JavaScript; native/addon.ts says what each function does. Requests cross over in batches,
// through arrays that JavaScript has made.
#include "../addon.h"
#include "../crossing.h"
#include "driver.h"

#include <string>

namespace {

using ggate::Driver;

double NumberIn(const Napi::Object& options, const char* name) {
  return options.Get(name).As<Napi::Number>().DoubleValue();
}

ggate::Geometry GeometryIn(const Napi::Object& options) {
  return {static_cast<int64_t>(NumberIn(options, "mediaSize")), static_cast<uint32_t>(NumberIn(options, "sectorSize"))};
}

Napi::Object GeometryOut(Napi::Env env, const ggate::Geometry& geometry) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("mediaSize", Napi::Number::New(env, static_cast<double>(geometry.media_size)));
  out.Set("sectorSize", Napi::Number::New(env, geometry.sector_size));
  return out;
}

class GgateDriver : public Napi::ObjectWrap<GgateDriver> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "GgateDriver",
                       {
                           InstanceMethod<&GgateDriver::Take>("take"),
                           InstanceMethod<&GgateDriver::Buffer>("buffer"),
                           InstanceMethod<&GgateDriver::Answer>("answer"),
                           InstanceMethod<&GgateDriver::Close>("close"),
                       });
  }

  explicit GgateDriver(const Napi::CallbackInfo& info) : Napi::ObjectWrap<GgateDriver>(info) {
    const Napi::Object given = info[0].As<Napi::Object>();
    state_.Hold(given, "state");
    taken_.Hold(given, "taken");
    fields_.Hold(given, "fields");
    answers_.Hold(given, "answers");
    waker_ = std::make_shared<Waker>(given.Get("wake").As<Napi::Function>(), "ggate");
    Driver::Options options;
    options.system = &ggate::TheSystem();
    options.control = static_cast<int>(NumberIn(given, "control"));
    options.name = given.Get("name").As<Napi::String>().Utf8Value();
    options.info = given.Get("info").As<Napi::String>().Utf8Value();
    options.geometry = GeometryIn(given.Get("geometry").As<Napi::Object>());
    options.left = GeometryIn(given.Get("left").As<Napi::Object>());
    options.slots = static_cast<unsigned>(taken_.length());
    slots_.resize(taken_.length());
    given_.resize(taken_.length());
    // The driver's threads may outlive this object, and JavaScript.
    options.wake = [waker = waker_] { waker->Wake(); };
    driver_ = Driver::Start(std::move(options));
  }

 private:
  Napi::Value Take(const Napi::CallbackInfo& info) {
    const size_t count = driver_->Take(slots_.data(), slots_.size());
    for (size_t i = 0; i < count; i++) {
      const uint32_t number = slots_[i];
      const ggate::Slot& slot = driver_->slot(number);
      taken_[i] = static_cast<int32_t>(number);
      fields_[number * 4] = slot.command;
      fields_[number * 4 + 1] = static_cast<double>(slot.offset);
      fields_[number * 4 + 2] = static_cast<double>(slot.length);
      fields_[number * 4 + 3] = slot.generation;
    }
    const Driver::State state = driver_->state();
    state_[0] = static_cast<int32_t>(state.phase);
    state_[1] = state.error;
    state_[2] = static_cast<int32_t>(state.origin);
    if (state.phase == ggate::Phase::kClosed) waker_->Release();
    return Napi::Number::New(info.Env(), static_cast<double>(count));
  }

  Napi::Value Buffer(const Napi::CallbackInfo& info) {
    const auto& buffer = driver_->slot(info[0].As<Napi::Number>().Uint32Value()).buffer;
    auto* const held = new std::shared_ptr<ggate::Buffer>(buffer);
    return Napi::ArrayBuffer::New(info.Env(), buffer->data(), buffer->bytes(),
                                  [held](Napi::Env, void*) { delete held; });
  }

  Napi::Value Answer(const Napi::CallbackInfo& info) {
    const size_t count = info[0].As<Napi::Number>().Uint32Value();
    for (size_t i = 0; i < count; i++) {
      given_[i] = {static_cast<uint32_t>(answers_[i * 2]), answers_[i * 2 + 1]};
    }
    driver_->Answer(given_.data(), count);
    return info.Env().Undefined();
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    driver_->Close();
    return info.Env().Undefined();
  }

  std::shared_ptr<Waker> waker_;
  std::shared_ptr<Driver> driver_;
  Shared<Napi::Int32Array, int32_t> state_;
  Shared<Napi::Int32Array, int32_t> taken_;
  Shared<Napi::Float64Array, double> fields_;
  Shared<Napi::Int32Array, int32_t> answers_;
  std::vector<uint32_t> slots_;
  std::vector<ggate::Answer> given_;
};

Napi::Value Open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  ggate::System& system = ggate::TheSystem();
  const int control = ggate::OpenControl(system);
  if (control < 0) return Napi::Number::New(env, -control);
  Napi::Object opened = Napi::Object::New(env);
  opened.Set("control", Napi::Number::New(env, control));
  opened.Set("left", GeometryOut(env, ggate::GeometryOf(system, info[0].As<Napi::String>().Utf8Value())));
  return opened;
}

Napi::Value Available(const Napi::CallbackInfo& info) {
  ggate::System& system = ggate::TheSystem();
  const int control = ggate::OpenControl(system);
  if (control >= 0) system.Close(control);
  return Napi::Number::New(info.Env(), control < 0 ? -control : 0);
}

Napi::Value Remove(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>().Utf8Value();
  return RunBlocking(info, 1, [name] { return ggate::Remove(ggate::TheSystem(), name); });
}

}  // namespace

void InitGgate(Napi::Env env, Napi::Object exports) {
  exports.Set("ggateAvailable", Napi::Function::New(env, Available));
  exports.Set("ggateOpen", Napi::Function::New(env, Open));
  exports.Set("ggateRemove", Napi::Function::New(env, Remove));
  exports.Set("GgateDriver", GgateDriver::Define(env));
}
