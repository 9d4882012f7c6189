#include "io/apart.h"

#include <system_error>

#include "io/make_loop.h"

namespace sheaf::io::detail {

bool Apart::begin() {
    if (caller_.in_cancelled_scope()) {
        outcome_ = fail(Kind::cancelled, "work in another thread: cancelled");
        return false;
    }
    try {
        thread_ = std::jthread{[this] { run(); }};
    } catch (const std::system_error& error) {
        outcome_ = fail_os(error.code().value(), "starting a thread");
        return false;
    }
    if (auto* scope = caller_.scope()) scope->add(*this);
    return true;
}

// In its thread.
void Apart::run() {
    auto own = make_loop();
    if (own) {
        {
            const std::lock_guard lock{mutex_};
            own_ = own->get();
            if (asked_) own_->stop();
        }
        work_(**own);
        const std::lock_guard lock{mutex_};
        own_ = nullptr;
    } else {
        outcome_ = Failure{std::move(own).error()};
    }
    loop_.post([this] { end(); });
}

void Apart::end() {
    thread_.join();
    if (caller_.scope()) Scope::remove(*this);
    caller_.resume();
}

void Apart::cancel() {
    const std::lock_guard lock{mutex_};
    asked_ = true;
    if (own_) own_->stop();
}

}  // namespace sheaf::io::detail
