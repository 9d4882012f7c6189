#include <array>

#include "cli/errand.h"
#include "storage/pool/about.h"
#include "storage/pool/name.h"

namespace sheaf::cli {

namespace {

using pool::ControlVerb;

constexpr auto options = std::to_array<Option>({pool_option});
constexpr auto list_options = std::to_array<Option>({output_option, pool_option});
constexpr auto operands =
    std::to_array<Operand>({{"VOLUME", "of which volume"}, {"NAME", "which snapshot"}});
constexpr auto list_operands = std::to_array<Operand>({{"VOLUME", "of which volume"}});

int create_main(std::span<char*> arguments);
int delete_main(std::span<char*> arguments);
int revert_main(std::span<char*> arguments);
int list_main(std::span<char*> arguments);

constexpr Verb create_verb = {
    .name = "snapshot create",
    .summary = "freeze what a volume holds now, also while a machine uses it",
    .options = options,
    .details = "It takes no time and no space; what is written later does.",
    .example = "sheaf snapshot create root before-upgrade",
    .main = create_main,
    .operands = operands,
};

constexpr Verb list_verb = {
    .name = "snapshot list",
    .summary = "list the snapshots of a volume, the oldest first",
    .options = list_options,
    .details = "\"own\" is the space that no other snapshot has, and that deleting it gives back.",
    .example = "sheaf snapshot list root -o yaml",
    .main = list_main,
    .operands = list_operands,
};

constexpr Verb revert_verb = {
    .name = "snapshot revert",
    .summary = "make a volume what it was; what was written since is lost",
    .options = options,
    .details = "Refused while a machine uses the volume. Snapshots stay, also later ones.",
    .example = "sheaf snapshot revert root before-upgrade",
    .main = revert_main,
    .operands = operands,
};

constexpr Verb delete_verb = {
    .name = "snapshot delete",
    .summary = "delete a snapshot; its space comes back",
    .options = options,
    .details = "The volume, other snapshots and clones stay as they are.",
    .example = "sheaf snapshot delete root before-upgrade",
    .main = delete_main,
    .operands = operands,
};

Result<pool::VolumeStatus> do_to_snapshot(const Verb& verb, const Arguments& arguments,
                                          ControlVerb what) {
    pool::ControlRequest request;
    request.request = what;
    request.name = arguments.operand(1);
    TRY(pool::check_name("snapshot", *request.name));
    return run_errand(verb, arguments, std::move(request));
}

int main_for(const Verb& verb, std::span<char*> arguments, ControlVerb what) {
    const auto parsed = arguments_or_exit(verb, arguments);
    if (!parsed) return parsed.error();
    const auto done = do_to_snapshot(verb, *parsed, what);
    return done ? 0 : refuse(verb, done.error());
}

int create_main(std::span<char*> arguments) {
    return main_for(create_verb, arguments, ControlVerb::snapshot_create);
}

int delete_main(std::span<char*> arguments) {
    return main_for(delete_verb, arguments, ControlVerb::snapshot_delete);
}

int revert_main(std::span<char*> arguments) {
    return main_for(revert_verb, arguments, ControlVerb::snapshot_revert);
}

struct SnapshotList {
    std::vector<pool::SnapshotStatus> snapshots;
};
BOOST_DESCRIBE_STRUCT(SnapshotList, (), (snapshots))

std::string when(std::uint64_t nanoseconds) {
    const std::chrono::nanoseconds since_1970{nanoseconds};
    return pool::timestamp(std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(since_1970)});
}

Result<void> list(const Arguments& arguments) {
    const auto format = TRY(parse_format(arguments));
    SnapshotList found{TRY(run_errand(list_verb, arguments, {})).snapshots};
    if (format != Format::table) return print(document(encode(found), format));
    std::vector<std::vector<std::string>> rows{{"NAME", "CREATED", "SIZE", "OWN"}};
    for (const auto& snapshot : found.snapshots)
        rows.push_back({snapshot.name, when(snapshot.created), human_size(snapshot.size),
                        human_size(snapshot.own)});
    return print(table(rows));
}

int list_main(std::span<char*> arguments) {
    return main_of(list_verb, arguments, list);
}

constexpr auto sub_verbs =
    std::to_array<const Verb*>({&create_verb, &list_verb, &revert_verb, &delete_verb});

}  // namespace

constinit const Verb snapshot_verb = {
    .name = "snapshot",
    .summary = "freeze what a volume holds, go back to it, delete it",
    .options = {},
    .details = {},
    .example = "sheaf snapshot create root before-upgrade",
    .main = nullptr,
    .operands = {},
    .verbs = sub_verbs,
};

}  // namespace sheaf::cli
