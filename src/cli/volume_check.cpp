#include <array>

#include "cli/pool_verb.h"
#include "cli/progress_line.h"
#include "cli/volume.h"
#include "storage/pool/check.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"repair", "", "put right what can be without losing anything"},
    output_option,
    pool_option,
});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which volume"}});

io::Task<void> keep_report(io::Task<pool::CheckReport> check, pool::CheckReport& into) {
    into = co_await std::move(check);
}

std::string words_of(const pool::CheckReport& report) {
    std::string text;
    for (const auto& line : report.found) text += fmt::format("found: {}\n", line);
    for (const auto& line : report.damaged) text += fmt::format("damaged: {}\n", line);
    return text + fmt::format("volume {}: {}; {} and {} snapshots were read\n", report.volume,
                              report.damaged.empty() ? "sound" : "damaged",
                              human_size(report.bytes), report.snapshots);
}

Result<void> check(const Arguments& arguments) {
    const auto format = TRY(parse_format(arguments));
    const auto pool = TRY(open_pool(arguments));
    const auto loop = TRY(io::make_loop());
    const auto& name = arguments.operand(0);
    const auto repair = arguments.has("repair") ? pool::Repair::yes : pool::Repair::no;
    pool::CheckReport report;
    auto held = TRY(pool->hold(pool::Shelf::volumes, name, "volume check"));
    {
        ProgressLine line{name};
        TRY(io::run(
            *loop,
            keep_report(pool::check_volume(*loop, *pool, std::move(held), repair, line), report)));
    }
    TRY(print(format == Format::table ? words_of(report) : document(encode(report), format)));
    if (!report.damaged.empty())
        return fail(Kind::corrupt, "volume {}: {}", name, report.damaged.front());
    return {};
}

int check_main(std::span<char*> arguments) {
    return main_of(volume_check_verb, arguments, check);
}

}  // namespace

constinit const Verb volume_check_verb = {
    .name = "volume check",
    .summary = "read all of a volume and say what is damaged",
    .options = options,
    .details =
        "Every structure, every block of the volume and of its snapshots, every claim. A volume\n"
        "that a crash left is recovered first, as by any other use. Damaged blocks stay as they\n"
        "are: reading them fails until they are written again. Exit code 65 where damage is left.",
    .example = "sheaf volume check root",
    .main = check_main,
    .operands = operands,
};

}  // namespace sheaf::cli
