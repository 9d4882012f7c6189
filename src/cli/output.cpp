#include "cli/output.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "cli/yaml_write.h"

namespace sheaf::cli {

Result<Format> parse_format(const Arguments& arguments) {
    if (!arguments.has("o")) return Format::table;
    const auto word = TRY(arguments.one("o"));
    if (word == "json") return Format::json;
    if (word == "yaml") return Format::yaml;
    return fail(Kind::invalid, "-o is \"json\" or \"yaml\", not \"{}\"", word);
}

std::string document(std::string_view json, Format format) {
    const auto tree = format == Format::yaml ? Json::parse(json) : Result<Json>{};
    return format == Format::yaml && tree ? to_yaml(*tree) : std::string{json} + "\n";
}

std::string table(std::vector<std::vector<std::string>> rows) {
    std::vector<std::size_t> widths;
    for (auto& row : rows)
        for (auto& word : row) word = showable(word);
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += fmt::format("{:<{}}", row[i], widths[i] + 3);
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

std::string human_size(std::uint64_t bytes) {
    constexpr auto units = std::to_array<std::string_view>({"bytes", "KiB", "MiB", "GiB", "TiB"});
    auto amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; amount >= 1024 && unit + 1 < units.size(); ++unit) amount /= 1024;
    auto number = fmt::format("{:.1f}", amount);
    if (number.ends_with(".0")) number.resize(number.size() - 2);
    return fmt::format("{} {}", number, units.at(unit));
}

}  // namespace sheaf::cli
