// Threads for disk operations that may wait for the medium. Those that have ended are told together, however many there are.
#include "addon.h"
#include "crossing.h"
#include "disk-crew.h"

namespace {

using disk::Crew;
using disk::Kind;
using disk::Operation;
using disk::Outcome;

class DiskPool : public Napi::ObjectWrap<DiskPool> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "DiskPool",
                       {
                           InstanceMethod<&DiskPool::Add>("add"),
                           InstanceMethod<&DiskPool::Take>("take"),
                           InstanceMethod<&DiskPool::Close>("close"),
                       });
  }

  explicit DiskPool(const Napi::CallbackInfo& info) : Napi::ObjectWrap<DiskPool>(info) {
    const Napi::Object given = info[0].As<Napi::Object>();
    outcomes_.Hold(given, "outcomes");
    taken_.resize(outcomes_.length() / 2);
    waker_ = std::make_shared<Waker>(given.Get("wake").As<Napi::Function>(), "hast.disk");
    waker_->KeepLoop(false);
    crew_ = std::make_shared<Crew>(given.Get("threads").As<Napi::Number>().Uint32Value(), [waker = waker_] { waker->Wake(); });
  }

 private:
  Napi::Value Add(const Napi::CallbackInfo& info) {
    Operation operation = {};
    operation.id = info[0].As<Napi::Number>().Uint32Value();
    operation.kind = static_cast<Kind>(IntAt(info, 1));
    operation.fd = IntAt(info, 2);
    auto buffer = info[3].As<Napi::Uint8Array>();
    operation.data = buffer.Data();
    operation.length = buffer.ByteLength();
    operation.offset = Int64At(info, 4);
    if (outstanding_++ == 0) waker_->KeepLoop(true);
    crew_->Add(operation);
    return info.Env().Undefined();
  }

  Napi::Value Take(const Napi::CallbackInfo& info) {
    const size_t count = crew_->Take(taken_.data(), taken_.size());
    for (size_t i = 0; i < count; i++) {
      outcomes_[i * 2] = taken_[i].id;
      outcomes_[i * 2 + 1] = static_cast<double>(taken_[i].result);
    }
    outstanding_ -= count;
    if (count > 0 && outstanding_ == 0) waker_->KeepLoop(false);
    return Napi::Number::New(info.Env(), static_cast<double>(count));
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    crew_->Dismiss();
    waker_->Release();
    return info.Env().Undefined();
  }

  Shared<Napi::Float64Array, double> outcomes_;
  std::vector<Outcome> taken_;
  std::shared_ptr<Waker> waker_;
  std::shared_ptr<Crew> crew_;
  size_t outstanding_ = 0;
};

}  // namespace

void InitDiskPool(Napi::Env env, Napi::Object exports) { exports.Set("DiskPool", DiskPool::Define(env)); }
