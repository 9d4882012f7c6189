#include "io/sim_loop.h"

#include <algorithm>
#include <cerrno>

#include "io/direct_call.h"
#include "io/misuse.h"

namespace sheaf::io {

using State = Operation::LoopNotes::State;

Result<std::unique_ptr<SimLoop>> SimLoop::create(std::uint64_t seed) {
    return std::make_unique<SimLoop>(seed, TRY(Mailbox::make_wakeup()));
}

SimLoop::SimLoop(std::uint64_t seed, Fd wakeup)
    : mailbox_(std::move(wakeup)), random_(seed), network_(random_.below(~std::uint64_t{0})) {}

Result<Fd> SimLoop::open(SimDisk& disk) {
    auto placeholder = TRY(SimPlaceholder::create());
    auto given = std::move(placeholder.given);
    // A number that was closed may be given out again by the system.
    files_.insert_or_assign(given.get(), File{&disk, std::move(placeholder), ++last_file_});
    return given;
}

const SimLoop::File* SimLoop::file_of(int fd) const {
    const auto found = files_.find(fd);
    if (found == files_.end() || found->second.placeholder.closed()) return nullptr;
    return &found->second;
}

std::uint64_t SimLoop::identity_of(int fd) const {
    if (const auto* file = file_of(fd)) return file->identity;
    return network_.knows(fd) ? network_.identity(fd) << 32 : 0;
}

void SimLoop::start(Operation& operation) {
    const auto& request = operation.request;
    operation.notes.cancel_asked = false;
    if (request.code == Request::Code::sleep)
        return schedule({&operation, nullptr}, std::max(request.deadline, now_));
    if (const auto* file = file_of(request.fd)) {
        if (waits_for_readiness(request)) return end(operation, -EINVAL);
        operation.notes.key = file->disk->begin(request);
        return schedule({&operation, file->disk}, now_ + file->disk->draw_delay());
    }
    schedule({&operation, nullptr}, now_ + network_.draw_delay());
}

void SimLoop::schedule(const Event& event, TimePoint at) {
    event.operation->notes.state = State::sleeping;
    scheduled_.emplace(Moment{at, ++last_sequence_}, event);
}

void SimLoop::cancel(Operation& operation) {
    if (std::exchange(operation.notes.cancel_asked, true)) return;
    if (operation.notes.state == State::done) return;
    if (operation.notes.state == State::polling) {
        blocked_.remove(operation);
        return end(operation, -ECANCELED);
    }
    const auto found = std::ranges::find_if(
        scheduled_, [&](const auto& entry) { return entry.second.operation == &operation; });
    auto* disk = found->second.disk;
    if (disk && random_.chance(0.5)) return;
    if (disk) disk->abandon(operation.notes.key);
    scheduled_.erase(found);
    end(operation, -ECANCELED);
}

void SimLoop::run() {
    mailbox_.bind_to_this_thread();
    if (std::exchange(stalled_, false) && !anything_to_do())
        misuse("a simulated loop runs again although nothing can happen");
    do {
        turn();
    } while (!mailbox_.take_stop() && !stalled_);
}

bool SimLoop::anything_to_do() const {
    return !ended_.empty() || mailbox_.pending() || !hooks_.empty();
}

void SimLoop::turn() {
    retry_blocked();
    if (!anything_to_do() && !sources_.arm()) take_next_event();
    complete_ended();
    mailbox_.run_work();
    hooks_.run();
}

void SimLoop::take_next_event() {
    if (scheduled_.empty()) {
        stalled_ = true;
        return;
    }
    const auto [moment, event] = *scheduled_.begin();
    scheduled_.erase(scheduled_.begin());
    now_ = moment.at;
    happen(event);
}

void SimLoop::happen(const Event& event) {
    auto& operation = *event.operation;
    const auto& request = operation.request;
    if (request.code == Request::Code::sleep) return end(operation, 0);
    if (event.disk) return end(operation, event.disk->finish(operation.notes.key));
    const auto result = network_.attempt(request);
    if (result != -EAGAIN || !waits_for_readiness(request)) return end(operation, result);
    operation.notes.state = State::polling;
    blocked_.push_back(operation);
}

// Everything that happened in the last turn, closing a descriptor included, may have made something
// possible that had to wait.
void SimLoop::retry_blocked() {
    if (blocked_.empty()) return;
    for (auto* next = blocked_.first(); next;) {
        auto& operation = *next;
        next = OperationList::next(operation);
        const auto result = network_.attempt(operation.request);
        if (result == -EAGAIN) continue;
        blocked_.remove(operation);
        end(operation, result);
    }
}

void SimLoop::end(Operation& operation, int result) {
    const auto& request = operation.request;
    // An accepted descriptor's number is the system's choice; that there is one is what counts.
    const auto outcome = request.code == Request::Code::accept ? std::min(result, 0) : result;
    for (const auto value : {static_cast<std::uint64_t>(now_.time_since_epoch().count()),
                             static_cast<std::uint64_t>(request.code), identity_of(request.fd),
                             request.offset, static_cast<std::uint64_t>(outcome)})
        trace_ = (trace_ ^ value) * 0x100000001b3;
    operation.notes.result = result;
    operation.notes.state = State::done;
    ended_.push_back(operation);
}

void SimLoop::complete_ended() {
    for (auto count = ended_.size(); count > 0; --count) {
        auto& operation = ended_.pop_front();
        operation.notes.state = State::idle;
        operation.complete(operation.notes.result);
    }
}

}  // namespace sheaf::io
