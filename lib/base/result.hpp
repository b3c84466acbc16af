// An expected failure as a value: code, errno, one sentence.
// Used by every room. Any thread.
#pragma once
#include <meshwork/base.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace mw::base {

struct Error {
  mw_status code = MW_EINTERNAL;
  int os = 0;        // errno, 0 where the operating system had no say
  std::string text;  // one English sentence that says what to do; "" = the status text
};

// Fills the caller's mw_error (may be null); returns the code.
mw_status fill(mw_error* err, const Error& e) noexcept;

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T v) : v_(std::in_place_index<0>, std::move(v)) {}
  Result(Error e) : v_(std::in_place_index<1>, std::move(e)) {}
  explicit operator bool() const noexcept { return v_.index() == 0; }
  T& operator*() & { return std::get<0>(v_); }
  const T& operator*() const& { return std::get<0>(v_); }
  T&& operator*() && { return std::get<0>(std::move(v_)); }
  T* operator->() { return &std::get<0>(v_); }
  const T* operator->() const { return &std::get<0>(v_); }
  Error& error() { return std::get<1>(v_); }
  const Error& error() const { return std::get<1>(v_); }

 private:
  std::variant<T, Error> v_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error e) : e_(std::move(e)) {}
  explicit operator bool() const noexcept { return !e_; }
  Error& error() { return *e_; }
  const Error& error() const { return *e_; }

 private:
  std::optional<Error> e_;
};

}  // namespace mw::base
