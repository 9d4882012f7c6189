#pragma once

// Why: stopping a tree of coroutines must reach whatever each of them waits for right now, and
// nothing that has not been asked to stop may be destroyed under the kernel's feet. A Scope knows
// every wait in flight below it; cancelling asks each of them to end early.

namespace sheaf::io {

// Something a coroutine waits for and that can be asked to end early. Registering and leaving is
// done by the awaiter; a Cancellable never outlives the wait it stands for.
class Cancellable {
  public:
    Cancellable() = default;
    Cancellable(const Cancellable&) = delete;
    Cancellable& operator=(const Cancellable&) = delete;

    // Asks the wait to end soon, with Kind::cancelled unless it is already over. May complete it
    // before returning. Loop thread only.
    virtual void cancel() = 0;

  protected:
    ~Cancellable() { leave(); }

  private:
    friend class Scope;
    void leave();
    Cancellable* next_ = nullptr;
    Cancellable** link_ = nullptr;  // what points at this node; null while in no scope
};

// All waits of one TaskGroup. Loop thread only.
class Scope {
  public:
    Scope() = default;
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    bool cancelled() const { return cancelled_; }

    // Asks every wait to end, and every later one to end at once. Idempotent.
    void cancel();

    // Notes that a wait began (the scope is not cancelled); remove() when it is over.
    void add(Cancellable& wait);
    static void remove(Cancellable& wait) { wait.leave(); }

  private:
    Cancellable* first_ = nullptr;
    bool cancelled_ = false;
};

}  // namespace sheaf::io
