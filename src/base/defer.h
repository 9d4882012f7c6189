#pragma once

// Why: what has to be undone on every way out, and is not worth a type of its own.
//
//     auto unlink = Defer{[&] { ::unlink(path); }};
//     ...
//     unlink.dismiss();  // it shall stay

#include <utility>

namespace sheaf {

template <class Action>
class [[nodiscard]] Defer {
  public:
    explicit Defer(Action action) : action_(std::move(action)) {}
    Defer(const Defer&) = delete;
    Defer& operator=(const Defer&) = delete;
    ~Defer() {
        if (armed_) action_();
    }

    void dismiss() { armed_ = false; }

  private:
    Action action_;
    bool armed_ = true;
};

}  // namespace sheaf
