#pragma once

// Why: many completions of one turn add to one batch (a used ring, an interrupt) that is published
// once, at the end of the turn.

namespace sheaf::io {

class TurnHooks;

// Something to do once at the end of the current turn, before the loop submits and waits. Leaves
// the queue when it is destroyed. Loop thread only.
class TurnHook {
  public:
    TurnHook() = default;
    TurnHook(const TurnHook&) = delete;
    TurnHook& operator=(const TurnHook&) = delete;

    virtual void turn_ended() = 0;

  protected:
    ~TurnHook();

  private:
    friend class TurnHooks;
    TurnHooks* queue_ = nullptr;  // null while not queued
    TurnHook* next_ = nullptr;
    TurnHook** link_ = nullptr;
};

// The queue of hooks that every Loop keeps, first in, first out.
class TurnHooks {
  public:
    TurnHooks() = default;
    TurnHooks(const TurnHooks&) = delete;
    TurnHooks& operator=(const TurnHooks&) = delete;
    ~TurnHooks();

    // Queuing a hook that is queued already changes nothing.
    void add(TurnHook& hook);
    // Calls and removes every hook, also those added meanwhile.
    void run();
    bool empty() const { return !first_; }

  private:
    friend class TurnHook;
    void remove(TurnHook& hook);
    TurnHook* first_ = nullptr;
    TurnHook** last_ = &first_;
};

}  // namespace sheaf::io
