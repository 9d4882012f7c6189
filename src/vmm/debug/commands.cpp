#include "vmm/debug/commands.h"

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "vmm/debug/packet.h"
#include "vmm/debug/scanner.h"

namespace sheaf::vmm::debug {

namespace {

constexpr std::string_view okay = "OK";
// The numbers of errno, which some debuggers print.
constexpr std::string_view bad_packet = "E16";   // EINVAL
constexpr std::string_view bad_address = "E0e";  // EFAULT
constexpr std::string_view no_thread = "E03";    // ESRCH
constexpr std::string_view no_room = "E1c";      // ENOSPC
constexpr std::size_t rip_number = 16;
constexpr int signal_interrupt = 2;
constexpr int signal_trap = 5;

Outcome answer(std::string_view text) {
    return {.then = Outcome::Then::answer, .answer = std::string{text}, .go = {}};
}

Outcome answer_to(const Result<void>& result) {
    if (result) return answer(okay);
    return answer(result.error().kind() == sheaf::Kind::exhausted ? no_room : bad_packet);
}

// A debugger counts threads from 1; 0 means any of them, and -1 all.
struct Thread {
    enum class Which { one, any, all };
    Which which = Which::any;
    std::size_t cpu = 0;
};

std::optional<Thread> scan_thread(Scanner& scanner, std::size_t cpus) {
    if (scanner.take('-')) {
        if (scanner.number() != 1) return std::nullopt;
        return Thread{Thread::Which::all, 0};
    }
    const auto number = scanner.number();
    if (!number || *number > cpus) return std::nullopt;
    if (*number == 0) return Thread{Thread::Which::any, 0};
    return Thread{Thread::Which::one, static_cast<std::size_t>(*number - 1)};
}

}  // namespace

// The first entry whose name a packet begins with counts.
std::span<const Commands::Entry> Commands::table() {
    static constexpr auto entries = std::to_array<Entry>({
        {"qSupported", &Commands::supported},
        {"QStartNoAckMode", &Commands::no_acknowledgements},
        {"qXfer:features:read:", &Commands::description},
        {"qfThreadInfo", &Commands::threads},
        {"qsThreadInfo", &Commands::no_more_threads},
        {"qThreadExtraInfo,", &Commands::thread_name},
        {"qAttached", &Commands::attached},
        {"qC", &Commands::current_thread},
        {"vCont?", &Commands::resume_kinds},
        {"vCont", &Commands::resume_each},
        {"vKill", &Commands::kill_and_answer},
        {"?", &Commands::reason},
        {"g", &Commands::get_registers},
        {"G", &Commands::set_registers},
        {"p", &Commands::get_register},
        {"P", &Commands::set_register},
        {"m", &Commands::get_memory},
        {"M", &Commands::set_memory},
        {"X", &Commands::set_memory_binary},
        {"Z", &Commands::insert_breakpoint},
        {"z", &Commands::remove_breakpoint},
        {"c", &Commands::resume_all},
        {"C", &Commands::resume_all_with_signal},
        {"s", &Commands::step},
        {"S", &Commands::step_with_signal},
        {"H", &Commands::choose_thread},
        {"T", &Commands::thread_alive},
        {"D", &Commands::detach},
        {"k", &Commands::kill},
    });
    return entries;
}

Outcome Commands::handle(std::string_view packet) {
    for (const auto& [name, handler] : table())
        if (packet.starts_with(name)) return (this->*handler)(packet.substr(name.size()));
    return {};
}

std::string Commands::stopped(std::size_t cpu, const Cause& cause) {
    cpu_ = cpu;
    const auto signal = cause.kind == Cause::Kind::interrupt ? signal_interrupt : signal_trap;
    last_stop_ = fmt::format("T{:02x}thread:{:x};", signal, cpu + 1);
    switch (cause.kind) {
        case Cause::Kind::software:
            if (tells_breakpoints_) last_stop_ += "swbreak:;";
            break;
        case Cause::Kind::hardware:
            if (tells_breakpoints_) last_stop_ += "hwbreak:;";
            break;
        case Cause::Kind::write: last_stop_ += fmt::format("watch:{:x};", cause.address); break;
        case Cause::Kind::access: last_stop_ += fmt::format("awatch:{:x};", cause.address); break;
        default: break;
    }
    return last_stop_;
}

Outcome Commands::supported(std::string_view rest) {
    tells_breakpoints_ = rest.contains("swbreak+");
    return answer(
        fmt::format("PacketSize={:x};QStartNoAckMode+;qXfer:features:read+;"
                    "vContSupported+;swbreak+;hwbreak+",
                    packet_limit));
}

Outcome Commands::no_acknowledgements(std::string_view) {
    return {.then = Outcome::Then::plain_answers, .answer = std::string{okay}, .go = {}};
}

Outcome Commands::description(std::string_view rest) {
    auto scanner = Scanner{rest};
    if (scanner.until(':') != "target.xml") return answer("E00");
    const auto offset = scanner.number();
    if (!offset || !scanner.take(',')) return answer("E00");
    const auto length = scanner.number();
    if (!length) return answer("E00");
    const auto text = target_description();
    if (*offset >= text.size()) return answer("l");
    // Escapes may double it.
    const auto part = text.substr(*offset, std::min<std::uint64_t>(*length, packet_limit / 2));
    return answer((*offset + part.size() < text.size() ? "m" : "l") + part);
}

Outcome Commands::reason(std::string_view) {
    return answer(last_stop_);
}

Outcome Commands::get_registers(std::string_view) {
    return answer(to_hex(read_registers(registers())));
}

Outcome Commands::set_registers(std::string_view rest) {
    const auto bytes = from_hex(rest);
    return bytes ? answer_to(write_registers(registers(), *bytes)) : answer(bad_packet);
}

Outcome Commands::get_register(std::string_view rest) {
    auto scanner = Scanner{rest};
    const auto number = scanner.number();
    if (!number || *number >= register_count()) return answer(bad_packet);
    return answer(to_hex(read_register(registers(), *number)));
}

Outcome Commands::set_register(std::string_view rest) {
    auto scanner = Scanner{rest};
    const auto number = scanner.number();
    if (!number || !scanner.take('=')) return answer(bad_packet);
    const auto bytes = from_hex(scanner.rest());
    return bytes ? answer_to(write_register(registers(), *number, *bytes)) : answer(bad_packet);
}

Outcome Commands::get_memory(std::string_view rest) {
    auto scanner = Scanner{rest};
    const auto address = scanner.number();
    if (!address || !scanner.take(',')) return answer(bad_packet);
    const auto length = scanner.number();
    if (!length) return answer(bad_packet);
    // An answer may be shorter than what was asked for.
    auto bytes = std::vector<std::byte>(std::min<std::uint64_t>(*length, packet_limit / 2));
    bytes.resize(debuggee_.read(cpu_, *address, bytes));
    if (bytes.empty() && *length > 0) return answer(bad_address);
    return answer(to_hex(bytes));
}

Outcome Commands::set_memory(std::string_view rest) {
    auto scanner = Scanner{rest};
    const auto address = scanner.number();
    if (!address || !scanner.take(',')) return answer(bad_packet);
    const auto length = scanner.number();
    if (!length || !scanner.take(':')) return answer(bad_packet);
    const auto bytes = from_hex(scanner.rest());
    if (!bytes || bytes->size() != *length) return answer(bad_packet);
    return answer(debuggee_.write(cpu_, *address, *bytes) ? okay : bad_address);
}

Outcome Commands::set_memory_binary(std::string_view rest) {
    auto scanner = Scanner{rest};
    const auto address = scanner.number();
    if (!address || !scanner.take(',')) return answer(bad_packet);
    const auto length = scanner.number();
    if (!length || !scanner.take(':') || scanner.rest().size() != *length)
        return answer(bad_packet);
    return answer(debuggee_.write(cpu_, *address, as_bytes(scanner.rest())) ? okay : bad_address);
}

Outcome Commands::insert_breakpoint(std::string_view rest) {
    return change_breakpoint(rest, true);
}

Outcome Commands::remove_breakpoint(std::string_view rest) {
    return change_breakpoint(rest, false);
}

Outcome Commands::change_breakpoint(std::string_view rest, bool insert) {
    using On = HardwareBreakpoint::On;
    auto scanner = Scanner{rest};
    const auto type = scanner.number();
    if (!type || !scanner.take(',')) return answer(bad_packet);
    const auto address = scanner.number();
    if (!address || !scanner.take(',')) return answer(bad_packet);
    const auto length = scanner.number();
    if (!length || *length > 8) return answer(bad_packet);
    auto& breakpoints = debuggee_.breakpoints;
    if (*type == 0) {
        if (!insert) {
            breakpoints.remove(debuggee_.memory, *address);
            return answer(okay);
        }
        const auto place = debuggee_.place_of(cpu_, *address);
        if (!place || !debuggee_.memory.slice(*place, 1)) return answer(bad_address);
        return answer_to(breakpoints.insert(debuggee_.memory, *address, *place));
    }
    // The processor cannot watch reads alone; a debugger then watches all accesses (4).
    if (*type == 3 || *type > 4) return {};
    const auto breakpoint = HardwareBreakpoint{.on = *type == 1   ? On::execute
                                                     : *type == 2 ? On::write
                                                                  : On::access,
                                               .address = *address,
                                               .length = static_cast<unsigned>(*length)};
    if (insert) return answer_to(breakpoints.insert(breakpoint));
    breakpoints.remove(breakpoint);
    return answer(okay);
}

Outcome Commands::resume_kinds(std::string_view) {
    return answer("vCont;c;C;s;S;t");
}

// "vCont;s:1;c": for each processor the first action that names it counts; the others stay.
Outcome Commands::resume_each(std::string_view rest) {
    const auto cpus = debuggee_.registers.size();
    auto go = std::vector<std::optional<Go>>(cpus);
    auto scanner = Scanner{rest};
    if (!scanner.take(';')) return answer(bad_packet);
    while (!scanner.done()) {
        auto action = Scanner{scanner.until(';')};
        const bool with_signal = action.rest().starts_with('C') || action.rest().starts_with('S');
        auto how = Go::stay;
        if (action.take('c') || action.take('C')) {
            how = Go::run;
        } else if (action.take('s') || action.take('S')) {
            how = Go::step;
        } else if (!action.take('t')) {
            return answer(bad_packet);
        }
        // Processors know no signals.
        if (with_signal && !action.number()) return answer(bad_packet);
        auto thread = std::optional{Thread{Thread::Which::all, 0}};
        if (action.take(':')) thread = scan_thread(action, cpus);
        if (!thread || !action.done()) return answer(bad_packet);
        for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
            const bool named = thread->which == Thread::Which::one ? thread->cpu == cpu : true;
            if (named && !go[cpu]) go[cpu] = how;
        }
    }
    auto outcome = Outcome{.then = Outcome::Then::resume, .answer = {}, .go = {}};
    for (const auto& one : go) outcome.go.push_back(one.value_or(Go::stay));
    // With nobody to run there would never be a stop to tell.
    if (std::ranges::all_of(outcome.go, [](Go one) { return one == Go::stay; }))
        return answer(bad_packet);
    return outcome;
}

Outcome Commands::go_on(std::string_view address, Go how) {
    if (!address.empty()) {
        auto scanner = Scanner{address};
        const auto target = scanner.number();
        if (!target || !scanner.done()) return answer(bad_packet);
        if (!write_register(registers(), rip_number, bytes_of(*target))) return answer(bad_packet);
    }
    auto outcome = Outcome{.then = Outcome::Then::resume, .answer = {}, .go = {}};
    outcome.go.assign(debuggee_.registers.size(), go_cpu_ ? Go::stay : Go::run);
    outcome.go.at(go_cpu_.value_or(cpu_)) = how;
    return outcome;
}

Outcome Commands::resume_all(std::string_view rest) {
    return go_on(rest, Go::run);
}

Outcome Commands::step(std::string_view rest) {
    return go_on(rest, Go::step);
}

// "signal;address", both hexadecimal.
Outcome Commands::resume_all_with_signal(std::string_view rest) {
    auto scanner = Scanner{rest};
    scanner.until(';');
    return go_on(scanner.rest(), Go::run);
}

Outcome Commands::step_with_signal(std::string_view rest) {
    auto scanner = Scanner{rest};
    scanner.until(';');
    return go_on(scanner.rest(), Go::step);
}

Outcome Commands::choose_thread(std::string_view rest) {
    auto scanner = Scanner{rest};
    const bool to_go = scanner.take('c');
    if (!to_go && !scanner.take('g')) return {};
    const auto thread = scan_thread(scanner, debuggee_.registers.size());
    if (!thread || !scanner.done()) return answer(no_thread);
    const bool one = thread->which == Thread::Which::one;
    if (to_go) {
        go_cpu_ = one ? std::optional{thread->cpu} : std::nullopt;
    } else if (one) {
        cpu_ = thread->cpu;
    }
    return answer(okay);
}

Outcome Commands::thread_alive(std::string_view rest) {
    auto scanner = Scanner{rest};
    const auto thread = scan_thread(scanner, debuggee_.registers.size());
    return answer(thread && thread->which == Thread::Which::one ? okay : no_thread);
}

Outcome Commands::current_thread(std::string_view) {
    return answer(fmt::format("QC{:x}", cpu_ + 1));
}

Outcome Commands::threads(std::string_view) {
    auto text = std::string{"m"};
    for (std::size_t cpu = 0; cpu < debuggee_.registers.size(); ++cpu)
        text += fmt::format("{}{:x}", cpu == 0 ? "" : ",", cpu + 1);
    return answer(text);
}

Outcome Commands::no_more_threads(std::string_view) {
    return answer("l");
}

Outcome Commands::thread_name(std::string_view rest) {
    auto scanner = Scanner{rest};
    const auto thread = scan_thread(scanner, debuggee_.registers.size());
    if (!thread || thread->which != Thread::Which::one) return answer(no_thread);
    return answer(to_hex(as_bytes(fmt::format("vCPU {}", thread->cpu))));
}

// A debugger that leaves lets go of what was there before it, and does not end it.
Outcome Commands::attached(std::string_view) {
    return answer("1");
}

Outcome Commands::detach(std::string_view) {
    return {.then = Outcome::Then::detach, .answer = std::string{okay}, .go = {}};
}

Outcome Commands::kill(std::string_view) {
    return {.then = Outcome::Then::kill, .answer = {}, .go = {}};
}

Outcome Commands::kill_and_answer(std::string_view) {
    return {.then = Outcome::Then::kill, .answer = std::string{okay}, .go = {}};
}

}  // namespace sheaf::vmm::debug
