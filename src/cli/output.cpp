#include "cli/output.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace sheaf::cli {

namespace {

void write_yaml(const JsonValue& value, std::size_t depth, std::string& out);

std::string indent(std::size_t depth) {
    return std::string(2 * depth, ' ');
}

bool is_nested(const JsonValue& value) {
    const auto* const array = std::get_if<JsonValue::Array>(&value.content());
    const auto* const object = std::get_if<JsonValue::Object>(&value.content());
    return (array && !array->empty()) || (object && !object->empty());
}

// Behind "name:" or "-": on the same line where it is one word, else below and further in.
void write_value(const JsonValue& value, std::size_t depth, std::string& out) {
    if (is_nested(value)) {
        out += '\n';
        write_yaml(value, depth + 1, out);
        return;
    }
    out += ' ';
    write_yaml(value, depth, out);
    out += '\n';
}

struct Writer {
    std::size_t depth;
    std::string& out;

    void operator()(std::nullptr_t) const { out += "null"; }
    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(std::int64_t value) const { out += fmt::format("{}", value); }
    void operator()(std::uint64_t value) const { out += fmt::format("{}", value); }
    void operator()(double value) const { json::encode_value(value, out); }
    void operator()(const std::string& value) const { json::encode_value(value, out); }
    void operator()(const JsonValue::Array& values) const {
        if (values.empty()) out += "[]";
        for (const auto& value : values) {
            out += indent(depth) + "-";
            write_value(value, depth, out);
        }
    }
    void operator()(const JsonValue::Object& members) const {
        if (members.empty()) out += "{}";
        for (const auto& [name, value] : members) {
            out += indent(depth);
            json::encode_value(name, out);
            out += ':';
            write_value(value, depth, out);
        }
    }
};

void write_yaml(const JsonValue& value, std::size_t depth, std::string& out) {
    std::visit(Writer{depth, out}, value.content());
}

}  // namespace

Result<Format> parse_format(const Arguments& arguments) {
    if (!arguments.has("o")) return Format::table;
    const auto word = TRY(arguments.one("o"));
    if (word == "json") return Format::json;
    if (word == "yaml") return Format::yaml;
    return fail(Kind::invalid, "-o is \"json\" or \"yaml\", not \"{}\"", word);
}

std::string to_yaml(const JsonValue& value) {
    std::string out;
    write_yaml(value, 0, out);
    if (!out.ends_with('\n')) out += '\n';
    return out;
}

std::string document(std::string_view json, Format format) {
    const auto tree = format == Format::yaml ? parse_json(json) : Result<JsonValue>{};
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
