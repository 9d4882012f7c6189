#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

#include "base/defer.h"
#include "cli/merge_patch.h"
#include "cli/object_verb.h"
#include "cli/yaml_read.h"
#include "cli/yaml_write.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({namespace_option, socket_option});
constexpr auto operands = std::to_array<Operand>(
    {{"KIND", "vm, volumes, images.sheaf.io: any word that the server knows it by"},
     {"NAME", "which object"}});

constexpr std::string_view heading =
    "# The object as it is. What is changed here is asked of the server when the editor ends;\n"
    "# an empty file changes nothing.\n";

std::string editor() {
    for (const auto* name : {"VISUAL", "EDITOR"})
        if (const auto* words = std::getenv(name); words && *words) return words;
    return "vi";
}

// A file that nobody else can read: an object may be a Secret.
Result<std::string> write_file(const std::string& text) {
    const auto* folder = std::getenv("TMPDIR");
    std::string path = fmt::format("{}/sheaf-edit-XXXXXX.yaml", folder ? folder : "/tmp");
    const auto file = TRY(checked_fd(::mkostemps(path.data(), 5, O_CLOEXEC), "making {}", path));
    const auto count = ::write(file.get(), text.data(), text.size());
    if (count == static_cast<ssize_t>(text.size())) return path;
    const auto number = count < 0 ? errno : ENOSPC;
    ::unlink(path.c_str());
    return fail_os(number, "writing {}", path);
}

// The editor has the terminal: Ctrl-C is its own.
Result<void> run_editor(std::string path) {
    std::string shell = "sh";
    std::string flag = "-c";
    auto command = editor() + " \"$1\"";
    const std::array<char*, 6> words{shell.data(), flag.data(), command.data(),
                                     shell.data(), path.data(), nullptr};
    const auto before = std::signal(SIGINT, SIG_IGN);
    const Defer restore{[&] { std::signal(SIGINT, before); }};
    pid_t child = 0;
    const int failed = ::posix_spawn(&child, "/bin/sh", nullptr, nullptr, words.data(), environ);
    if (failed != 0) return fail_os(failed, "starting the editor");
    int status = 0;
    TRY(checked(::waitpid(child, &status, 0), "waiting for the editor"));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return fail(Kind::cancelled, "the editor \"{}\" ended with {}", editor(),
                WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// What the person made of the object; null where it is an empty file.
Result<Json> edited(const std::string& path) {
    const auto text = TRY(read_text(path));
    auto documents = TRY(read_documents(text));
    if (documents.empty()) return Json{};
    if (documents.size() > 1 || !documents.front().object())
        return fail(Kind::invalid, "one object is expected");
    return std::move(documents.front());
}

Result<bool> change(ApiClient& client, const std::string& target, const Json& before,
                    const std::string& file) {
    const auto after = TRY(edited(file));
    if (after.is_null()) return false;
    // What the person left alone may have changed meanwhile: its status does all the time.
    const auto patch = merge_difference(before, after);
    if (patch.object()->empty()) return false;
    TRY(client.ask({.method = "PATCH",
                    .target = target,
                    .body = patch.text(),
                    .content_type = merge_patch_type}));
    return true;
}

Result<void> edit(const Arguments& arguments) {
    const auto target = TRY(target_of(arguments));
    const auto path = target.resource.path(target.name_space, arguments.operand(1));
    const auto before = TRY(target.client->ask({.target = path}));
    const auto file = TRY(write_file(std::string{heading} + to_yaml(before)));
    Defer remove{[&] { ::unlink(file.c_str()); }};
    TRY(run_editor(file));
    const auto changed = change(*target.client, path, before, file);
    if (!changed) {
        remove.dismiss();
        return Failure{Error{changed.error()}.within(
            fmt::format("nothing is changed, and the edited file is kept as {}", file))};
    }
    return print(fmt::format("{} {}\n", target.resource.title(arguments.operand(1)),
                             *changed ? "edited" : "unchanged"));
}

int edit_main(std::span<char*> arguments) {
    return main_of(edit_verb, arguments, edit);
}

}  // namespace

constinit const Verb edit_verb = {
    .name = "edit",
    .summary = "change an object in an editor",
    .options = options,
    .details =
        "The editor is what VISUAL or EDITOR says, or vi. What was left alone there stays as it "
        "is by\n"
        "then. Where the server refuses what was written the file is kept.",
    .example = "sheaf edit vm web",
    .main = edit_main,
    .operands = operands,
};

}  // namespace sheaf::cli
