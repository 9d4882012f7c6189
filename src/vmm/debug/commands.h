#pragma once

// Why: what each packet of a debugger means, and what it is answered (GDB manual, "Packets" of the
// remote serial protocol). Nothing here waits: the processors stand still, and a packet that lets
// them go says so in its outcome.

#include <string>
#include <string_view>

#include "vmm/debug/debuggee.h"

namespace sheaf::vmm::debug {

// What a processor does next.
enum class Go { stay, run, step };

struct Outcome {
    enum class Then {
        answer,         // and the processors stay where they are
        resume,         // as in `go`; the answer is the next stop
        detach,         // answer, then the guest is let go
        kill,           // answer, where there is one, then the machine ends
        plain_answers,  // answer, and from now on without acknowledgements
    };
    Then then = Then::answer;
    std::string answer;  // empty: "not known here"
    std::vector<Go> go;  // one a processor
};

class Commands {
  public:
    // The debuggee outlives it.
    explicit Commands(Debuggee& debuggee) : debuggee_(debuggee) {}

    Outcome handle(std::string_view packet);
    // Tells why processor `cpu` stopped, which the debugger then looks at.
    std::string stopped(std::size_t cpu, const Cause& cause);

  private:
    // The rest of a packet after its name.
    using Handler = Outcome (Commands::*)(std::string_view rest);
    struct Entry {
        std::string_view name;
        Handler handler;
    };
    static std::span<const Entry> table();

    Outcome supported(std::string_view rest);
    Outcome no_acknowledgements(std::string_view rest);
    Outcome description(std::string_view rest);
    Outcome reason(std::string_view rest);
    Outcome get_registers(std::string_view rest);
    Outcome set_registers(std::string_view rest);
    Outcome get_register(std::string_view rest);
    Outcome set_register(std::string_view rest);
    Outcome get_memory(std::string_view rest);
    Outcome set_memory(std::string_view rest);
    Outcome set_memory_binary(std::string_view rest);
    Outcome insert_breakpoint(std::string_view rest);
    Outcome remove_breakpoint(std::string_view rest);
    Outcome resume_kinds(std::string_view rest);
    Outcome resume_each(std::string_view rest);
    Outcome resume_all(std::string_view rest);
    Outcome step(std::string_view rest);
    Outcome resume_all_with_signal(std::string_view rest);
    Outcome step_with_signal(std::string_view rest);
    Outcome choose_thread(std::string_view rest);
    Outcome thread_alive(std::string_view rest);
    Outcome current_thread(std::string_view rest);
    Outcome threads(std::string_view rest);
    Outcome no_more_threads(std::string_view rest);
    Outcome thread_name(std::string_view rest);
    Outcome attached(std::string_view rest);
    Outcome detach(std::string_view rest);
    Outcome kill(std::string_view rest);
    Outcome kill_and_answer(std::string_view rest);

    Outcome go_on(std::string_view address, Go how);
    Outcome change_breakpoint(std::string_view rest, bool insert);
    RegisterFile& registers() { return debuggee_.registers.at(cpu_); }

    Debuggee& debuggee_;
    std::size_t cpu_ = 0;                // that questions are about
    std::optional<std::size_t> go_cpu_;  // the only one that goes on; none: all do
    std::string last_stop_ = "T05thread:1;";
    bool tells_breakpoints_ = false;  // whether the debugger understands "swbreak" and "hwbreak"
};

}  // namespace sheaf::vmm::debug
