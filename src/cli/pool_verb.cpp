#include "cli/pool_verb.h"

#include <cstdio>

#include "node/exit_report.h"

namespace sheaf::cli {

Result<std::string> pool_path(const Arguments& arguments) {
    return arguments.one("pool", pool::default_pool);
}

Result<std::unique_ptr<pool::Pool>> open_pool(const Arguments& arguments) {
    return pool::Pool::open(TRY(pool_path(arguments)));
}

int refuse(const Verb& verb, const Error& error) {
    std::fputs(fmt::format("sheaf {}: {}\n", verb.name, error.text()).c_str(), stderr);
    return static_cast<int>(node::exit_code_of(error.kind()));
}

int main_of(const Verb& verb, std::span<char*> arguments, Work work) {
    const auto parsed = arguments_or_exit(verb, arguments);
    if (!parsed) return parsed.error();
    const auto done = work(*parsed);
    return done ? 0 : refuse(verb, done.error());
}

Result<void> print(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        return fail_os(errno, "writing the output");
    return {};
}

}  // namespace sheaf::cli
