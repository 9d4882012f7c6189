#include <array>

#include "cli/errand.h"
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

struct Checked {
    std::string volume;
    pool::CheckReport report;
};
BOOST_DESCRIBE_STRUCT(Checked, (), (volume, report))

std::string words_of(const Checked& checked) {
    const auto& report = checked.report;
    std::string text;
    for (const auto& line : report.found) text += fmt::format("found: {}\n", line);
    for (const auto& line : report.damaged) text += fmt::format("damaged: {}\n", line);
    return text + fmt::format("volume {}: {}; {} and {} snapshots were read\n", checked.volume,
                              report.damaged.empty() ? "sound" : "damaged",
                              human_size(report.bytes), report.snapshots);
}

Result<void> check(const Arguments& arguments) {
    const auto format = TRY(parse_format(arguments));
    const auto pool = TRY(open_pool(arguments));
    const auto loop = TRY(io::make_loop());
    const auto repair = arguments.has("repair") ? pool::Repair::yes : pool::Repair::no;
    Checked checked{arguments.operand(0), {}};
    {
        ShownWork shown{"reading"};
        checked.report =
            TRY(io::run(*loop, pool::check_volume(*loop, *pool, checked.volume, repair, shown)));
    }
    TRY(print(format == Format::table ? words_of(checked) : document(encode(checked), format)));
    const auto& damaged = checked.report.damaged;
    if (!damaged.empty())
        return fail(Kind::corrupt, "volume {}: {}", checked.volume, damaged.front());
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
        "that a crash left is recovered first, as by any other use. One that is in use is read by\n"
        "who uses it. Damaged blocks stay as they are: reading them fails until they are written\n"
        "again. Exit code 65 where damage is left.",
    .example = "sheaf volume check root",
    .main = check_main,
    .operands = operands,
};

}  // namespace sheaf::cli
