#include "io/uring_loop.h"

#include <liburing.h>

#include <array>
#include <atomic>
#include <cerrno>

#if __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#endif

#include "io/direct_call.h"
#include "io/misuse.h"
#include "io/uring_memory.h"
#include "io/uring_request.h"

namespace sheaf::io {

namespace {

// Best first. Deferred task work is run by the loop when it waits, never by interrupting it; a
// single issuer saves locking. Older kernels know less: 5.19, then anything.
constexpr std::array<unsigned, 3> flag_choices = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
        IORING_SETUP_R_DISABLED,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    0,
};

// user_data of a submission: the operation's address, whose low bit is free, and in that bit
// whether the completion ends the operation or says that its descriptor became ready.
constexpr std::uint64_t readiness = 1;
constexpr std::uint64_t nobody = 0;

std::uint64_t name_of(const Operation& operation) {
    static_assert(alignof(Operation) > 1);
    return std::bit_cast<std::uint64_t>(&operation);
}

Operation& operation_of(std::uint64_t user_data) {
    return *std::bit_cast<Operation*>(user_data & ~readiness);
}

using State = Operation::LoopNotes::State;

// Requests that follow from completions, while others are still to be dealt with: a device whose
// whole queue has come back would stand idle until the last of them was.
constexpr unsigned most_held_back = 4;
// Bytes of a transfer that is not held back at all: making or checking the content of the next one
// takes longer than the call.
constexpr std::size_t large_transfer = std::size_t{64} << 10;

// Whether a system call would bring anything while the loop has other things to do.
bool has_business_with_kernel(const io_uring& ring) {
    const auto flags = std::atomic_ref{*ring.sq.kflags}.load(std::memory_order_relaxed);
    return ::io_uring_sq_ready(&ring) > 0 || flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

bool is_large(const Request& request) {
    if (request.code != Request::Code::read && request.code != Request::Code::write) return false;
    std::size_t bytes = 0;
    for (const auto& buffer : request.buffers()) bytes += buffer.iov_len;
    return bytes >= large_transfer;
}

// Whether the loop makes the call itself instead of handing it to the kernel's workers.
bool performed_by_loop(const Request& request) {
    if (request.pace != Pace::at_once || request.offset == Request::no_offset) return false;
    switch (request.code) {
        case Request::Code::read:
        case Request::Code::write:
        case Request::Code::fdatasync:
        case Request::Code::fallocate: return true;
        default: return false;
    }
}

// A ring's memory may have been that of another one, of another thread: the kernel hands it on, by
// calls that ThreadSanitizer does not see.
#if __has_feature(thread_sanitizer)
char ring_memory;
void give_back() {
    __tsan_release(&ring_memory);
}
void take_over() {
    __tsan_acquire(&ring_memory);
}
#else
void give_back() {}
void take_over() {}
#endif

}  // namespace

struct UringLoop::Ring {
    static Result<std::unique_ptr<Ring>> create(unsigned entries, unsigned flags);
    Ring() = default;
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() {
        give_back();
        if (open) ::io_uring_queue_exit(&kernel);
    }

    io_uring kernel{};
    UringMemory memory{kernel};
    bool open = false;
    bool disabled = false;  // until it is bound to the loop's thread
};

Result<std::unique_ptr<UringLoop::Ring>> UringLoop::Ring::create(unsigned entries, unsigned flags) {
    auto parameters = io_uring_params{};
    parameters.flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    parameters.cq_entries = entries * 8;
    auto ring = std::make_unique<Ring>();
    const auto result = ::io_uring_queue_init_params(entries, &ring->kernel, &parameters);
    if (result < 0) return fail_os(-result, "setting up io_uring");
    take_over();
    ring->open = true;
    ring->disabled = (flags & IORING_SETUP_R_DISABLED) != 0;
    // Without NODROP (before 5.5) completions could be lost.
    if (!(parameters.features & IORING_FEAT_NODROP))
        return fail(Kind::unsupported, "setting up io_uring: the kernel's is too old");
    return ring;
}

Result<std::unique_ptr<UringLoop>> UringLoop::create(unsigned entries) {
    auto wakeup = TRY(Mailbox::make_wakeup());
    auto ring = Ring::create(entries, flag_choices.front());
    for (auto choice = std::size_t{1}; choice < flag_choices.size(); ++choice)
        if (!ring && ring.error().os_error() == EINVAL)
            ring = Ring::create(entries, flag_choices.at(choice));
    return std::make_unique<UringLoop>(TRY(std::move(ring)), std::move(wakeup));
}

UringLoop::UringLoop(std::unique_ptr<Ring> ring, Fd wakeup)
    : ring_(std::move(ring)), mailbox_(std::move(wakeup)), wakeup_(*this, mailbox_.wakeup()) {
    start(wakeup_);
}

UringLoop::~UringLoop() = default;

UringLoop::Wakeup::Wakeup(UringLoop& loop, int eventfd)
    : Operation(loop, {.code = Request::Code::read,
                       .fd = eventfd,
                       .offset = Request::no_offset,
                       .single = {&count_, sizeof(count_)}}) {}

void UringLoop::Wakeup::complete(int) {
    loop_.start(*this);
}

void UringLoop::run() {
    if (!bound_) bind_to_this_thread();
    do {
        turn();
    } while (!mailbox_.take_stop());
}

// The kernel takes the thread that enables the ring as its single issuer; a loop may be made in
// another thread than it runs in.
void UringLoop::bind_to_this_thread() {
    bound_ = true;
    mailbox_.bind_to_this_thread();
    // Debian's liburing.so does not export io_uring_enable_rings().
    if (std::exchange(ring_->disabled, false))
        ::io_uring_register(static_cast<unsigned>(ring_->kernel.ring_fd),
                            IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
    // Saves looking up the ring's descriptor in each call; where it is not to be had, nothing is
    // lost.
    ::io_uring_register_ring_fd(&ring_->kernel);
}

void UringLoop::turn() {
    submit_and_wait();
    reap();
    mailbox_.run_work();
    perform_at_once();
    hooks_.run();
}

bool UringLoop::anything_ready() const {
    return mailbox_.pending() || !set_aside_.empty() || !at_once_.empty() || !hooks_.empty() ||
           ::io_uring_cq_ready(&ring_->kernel) > 0;
}

void UringLoop::submit_and_wait() {
    if (!anything_ready()) return wait();
    if (has_business_with_kernel(ring_->kernel))
        check_submission(::io_uring_submit_and_get_events(&ring_->kernel));
}

void UringLoop::wait() {
    const auto watching = !sources_.empty();
    const auto began = watching ? now() : TimePoint{};
    if (watching && !look_out(began) && !sources_.arm())
        check_submission(::io_uring_submit_and_wait(&ring_->kernel, 1));
    if (!watching) return check_submission(::io_uring_submit_and_wait(&ring_->kernel, 1));
    window_.waited(now() - began);
}

// Looks for news as long as the window says; whether there was any. The clock is read now and then
// only, and not believed where another thread had the processor.
bool UringLoop::look_out(TimePoint began) {
    constexpr auto looks_per_reading = 16;
    const auto length = window_.length(began);
    if (length == Duration::zero()) return false;
    auto* ring = &ring_->kernel;
    if (::io_uring_sq_ready(ring) > 0) check_submission(::io_uring_submit(ring));
    for (auto last = began; last - began < length;) {
        for (auto look = 0; look < looks_per_reading; ++look) {
            if (has_business_with_kernel(*ring)) check_submission(::io_uring_get_events(ring));
            if (sources_.look() || anything_ready()) return true;
            __builtin_ia32_pause();
        }
        const auto before = std::exchange(last, now());
        if (last - before > PollWindow::preempted) window_.lost_processor(last);
    }
    return false;
}

// A signal (EINTR) or a full completion queue (EBUSY) ends a call early: the next turn goes on.
// Anything else would be a ring of our own making that is broken.
void UringLoop::check_submission(int result) const {
    if (result < 0 && result != -EINTR && result != -EBUSY && result != -EAGAIN)
        misuse("io_uring refused to submit");
}

// Takes what is there now and no more, so that a flood of completions cannot keep the hooks from
// running.
void UringLoop::reap() {
    auto early = std::exchange(set_aside_, {});
    for (const auto& completion : early) dispatch(completion);
    for (auto count = ::io_uring_cq_ready(&ring_->kernel); count > 0; --count) {
        io_uring_cqe* entry = nullptr;
        if (::io_uring_peek_cqe(&ring_->kernel, &entry) != 0) break;
        const auto completion = Completion{entry->user_data, entry->res};
        ::io_uring_cqe_seen(&ring_->kernel, entry);
        dispatch(completion);
        if (::io_uring_sq_ready(&ring_->kernel) >= most_held_back)
            check_submission(::io_uring_submit(&ring_->kernel));
    }
}

void UringLoop::dispatch(const Completion& completion) {
    if (completion.user_data == nobody) return;
    auto& operation = operation_of(completion.user_data);
    if (!(completion.user_data & readiness)) return finish(operation, completion.result);
    if (operation.notes.cancel_asked) return finish(operation, -ECANCELED);
    if (completion.result < 0) return finish(operation, completion.result);
    submit(operation);
}

void UringLoop::finish(Operation& operation, int result) {
    auto& notes = operation.notes;
    if (result == -EINTR && !notes.cancel_asked) return submit(operation);
    if (result == -EINTR) result = -ECANCELED;
    if (result == -EAGAIN && waits_for_readiness(operation.request) && !notes.cancel_asked)
        return wait_until_ready(operation);
    if (operation.request.code == Request::Code::sleep && result == -ETIME) result = 0;
    notes.state = State::idle;
    operation.complete(result);
}

// For descriptors opened with O_NONBLOCK, which io_uring does not wait for by itself.
void UringLoop::wait_until_ready(Operation& operation) {
    auto& entry = next_entry();
    ::io_uring_prep_poll_add(&entry, operation.request.fd, readiness_events(operation.request));
    entry.user_data = name_of(operation) | readiness;
    operation.notes.state = State::polling;
}

void UringLoop::start(Operation& operation) {
    auto& notes = operation.notes;
    notes.cancel_asked = false;
    if (!performed_by_loop(operation.request)) return submit(operation);
    notes.state = State::queued;
    at_once_.push_back(operation);
}

// Those that are started meanwhile wait for the next turn: hooks and the kernel get their share.
void UringLoop::perform_at_once() {
    for (auto count = at_once_.size(); count > 0; --count) {
        auto& operation = at_once_.pop_front();
        const auto& request = operation.request;
        operation.notes.state = State::idle;
        operation.complete(operation.notes.cancel_asked ? -ECANCELED : call_and_wait(request));
    }
}

void UringLoop::submit(Operation& operation) {
    auto& entry = next_entry();
    prepare(entry, operation, ring_->memory);
    entry.user_data = name_of(operation);
    operation.notes.state = State::running;
    if (bound_ && is_large(operation.request)) check_submission(::io_uring_submit(&ring_->kernel));
}

// The kernel takes entries in order, so a cancellation never meets a later operation that happens
// to have the same address.
void UringLoop::cancel(Operation& operation) {
    if (std::exchange(operation.notes.cancel_asked, true)) return;
    if (operation.notes.state == State::queued) return;
    const auto polling = operation.notes.state == State::polling;
    const auto target = name_of(operation) | (polling ? readiness : 0);
    auto& entry = next_entry();
    ::io_uring_prep_cancel64(&entry, target, 0);
    entry.user_data = nobody;
}

io_uring_sqe& UringLoop::next_entry() {
    auto* entry = ::io_uring_get_sqe(&ring_->kernel);
    while (!entry) {
        make_room();
        entry = ::io_uring_get_sqe(&ring_->kernel);
    }
    return *entry;
}

// The submission queue is full in the middle of a turn. Before run() that binds the ring to this
// thread, which is then the loop's own.
void UringLoop::make_room() {
    if (!bound_) bind_to_this_thread();
    const auto result = ::io_uring_submit(&ring_->kernel);
    if (result >= 0 || result == -EINTR) return;
    if (result != -EBUSY && result != -EAGAIN) misuse("io_uring refused to submit");
    // The kernel takes no more before completions are taken from it; nobody may be resumed here, so
    // they are kept for the next turn.
    ::io_uring_get_events(&ring_->kernel);
    io_uring_cqe* entry = nullptr;
    while (::io_uring_peek_cqe(&ring_->kernel, &entry) == 0) {
        set_aside_.push_back({entry->user_data, entry->res});
        ::io_uring_cqe_seen(&ring_->kernel, entry);
    }
}

std::optional<unsigned> UringLoop::register_memory(std::span<std::byte> memory) {
    if (!bound_) bind_to_this_thread();
    return ring_->memory.add(memory);
}

void UringLoop::forget_memory(unsigned place) {
    ring_->memory.remove(place);
}

}  // namespace sheaf::io
