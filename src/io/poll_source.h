#pragma once

// Why: being woken is the dearest part of a short wait. What changes in memory (a ring that a guest
// fills) can be looked at for a while before the loop sleeps, and its owner need not wake the loop
// meanwhile.

namespace sheaf::io {

class PollSources;

// Something that may turn up in memory. Leaves the loop when it is destroyed. Loop thread only; its
// members are called between turns and may resume tasks.
class PollSource {
  public:
    PollSource() = default;
    PollSource(const PollSource&) = delete;
    PollSource& operator=(const PollSource&) = delete;

    // Serves what is there; false where there was nothing. Called often in a row: cheap.
    virtual bool look() = 0;
    // The loop is about to sleep: asks to be woken (by a descriptor the loop reads), then look().
    virtual bool arm() = 0;

  protected:
    ~PollSource();

  private:
    friend class PollSources;
    PollSources* watchers_ = nullptr;  // null while nobody watches
    PollSource* next_ = nullptr;
    PollSource** link_ = nullptr;
};

// The sources that a Loop watches. A source may be added or destroyed while others are asked.
class PollSources {
  public:
    PollSources() = default;
    PollSources(const PollSources&) = delete;
    PollSources& operator=(const PollSources&) = delete;
    ~PollSources();

    void add(PollSource& source);
    bool empty() const { return !first_; }
    // Whether any source had something. Every source gets its turn.
    bool look() { return ask(&PollSource::look); }
    bool arm() { return ask(&PollSource::arm); }

  private:
    friend class PollSource;
    bool ask(bool (PollSource::*question)());
    void remove(PollSource& source);

    PollSource* first_ = nullptr;
    PollSource* following_ = nullptr;  // whom ask() asks next
};

}  // namespace sheaf::io
