// A handle given by the host, held for the length of one call: its object
// cannot be freed meanwhile. Used by abi's files. Any thread.
#pragma once
#include "base/handle.hpp"
#include "link/callee.hpp"
#include "link/channel.hpp"
#include "link/consumer.hpp"
#include "link/group.hpp"
#include "link/hub.hpp"
#include "link/provider.hpp"
#include "link/share.hpp"
#include "loop/runtime.hpp"
#include "mesh/node.hpp"

namespace mw::abi {

class Reference {
 public:
  explicit Reference(mw_handle h) noexcept : slot_(base::pin(h)), kind_(base::kind_of(h)) {
    if (slot_ != nullptr) object_ = static_cast<loop::Object*>(slot_->object.load(std::memory_order_relaxed));
  }
  ~Reference() {
    if (slot_ != nullptr) base::unpin(slot_);
  }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  // MW_OK, MW_ECLOSED (stale) or MW_EFORK (inherited by fork).
  mw_status check() const noexcept {
    if (object_ == nullptr) return MW_ECLOSED;
    return object_->runtime.alive() ? MW_OK : MW_EFORK;
  }
  base::Kind kind() const noexcept { return kind_; }
  loop::Object* object() const noexcept { return object_; }
  loop::Runtime* context() const noexcept { return as<loop::Runtime>(base::Kind::context); }
  link::Provider* provider() const noexcept { return as<link::Provider>(base::Kind::provider); }
  link::Consumer* consumer() const noexcept { return as<link::Consumer>(base::Kind::consumer); }
  link::Group* group() const noexcept { return as<link::Group>(base::Kind::group); }
  link::Peer* peer() const noexcept { return as<link::Peer>(base::Kind::peer); }
  link::Ask* ask() const noexcept { return as<link::Ask>(base::Kind::ask); }
  link::Subscription* subscription() const noexcept { return as<link::Subscription>(base::Kind::subscription); }
  link::Service* service() const noexcept { return as<link::Service>(base::Kind::service); }
  link::Request* request() const noexcept { return as<link::Request>(base::Kind::request); }
  link::Hub* hub() const noexcept { return as<link::Hub>(base::Kind::hub); }
  link::Channel* channel() const noexcept { return as<link::Channel>(base::Kind::channel); }
  link::Seat* seat() const noexcept { return as<link::Seat>(base::Kind::seat); }
  link::Share* share() const noexcept { return as<link::Share>(base::Kind::share); }
  link::Share* election() const noexcept { return as<link::Share>(base::Kind::election); }
  mesh::Node* node() const noexcept { return as<mesh::Node>(base::Kind::node); }
  mesh::Node* member() const noexcept {  // a node or a manager
    auto* m = as<mesh::Node>(base::Kind::manager);
    return m != nullptr ? m : node();
  }
  link::Owner* owner() const noexcept {
    if (auto* m = member()) return m;
    if (auto* s = share()) return s;
    if (auto* e = election()) return e;
    if (auto* g = group()) return g;
    return party();
  }
  link::Party* party() const noexcept {
    if (kind_ == base::Kind::hub) return hub();
    if (kind_ == base::Kind::channel) return channel();
    if (kind_ == base::Kind::provider) return provider();
    if (kind_ == base::Kind::consumer) return consumer();
    return nullptr;
  }
  link::Session* session() const noexcept {
    if (kind_ == base::Kind::peer) return &peer()->session;
    if (kind_ == base::Kind::consumer) return &consumer()->session();
    if (kind_ == base::Kind::channel) return &channel()->session();
    if (kind_ == base::Kind::seat) return &seat()->session;
    return nullptr;
  }
  base::Slot* release() noexcept { return std::exchange(slot_, nullptr); }

 private:
  template <class T>
  T* as(base::Kind k) const noexcept {
    return kind_ == k ? static_cast<T*>(object_) : nullptr;
  }
  base::Slot* slot_;
  base::Kind kind_;
  loop::Object* object_ = nullptr;
};

}  // namespace mw::abi
