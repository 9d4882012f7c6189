#include "cli/options.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/units.h"

namespace sheaf::cli {

namespace {

const Option* find_option(const Verb& verb, std::string_view word) {
    const auto found = std::ranges::find_if(
        verb.options, [&](const Option& option) { return dashed(option.name) == word; });
    return found == verb.options.end() ? nullptr : &*found;
}

bool takes_more(const Verb& verb, std::size_t count) {
    return count < verb.operands.size() ||
           (!verb.operands.empty() && verb.operands.back().times == Times::any);
}

Failure surplus(const Verb& verb, std::string_view word) {
    if (verb.operands.empty()) return fail(Kind::invalid, "\"{}\" is not an option", word);
    return fail(Kind::invalid, "\"{}\" is one word too many", word);
}

// Two columns; a left one that is too wide has a line of its own.
std::string help_line(std::string left, std::string_view right) {
    constexpr std::size_t column = 30;
    if (left.size() >= column) left += '\n' + std::string(column, ' ');
    return fmt::format("{:<{}}{}\n", left, column, right);
}

// The next field of a comma-separated list, with ",," read as one comma; shortens `text`.
std::string take_field(std::string_view& text) {
    auto field = std::string{};
    while (!text.empty()) {
        const char letter = text.front();
        text.remove_prefix(1);
        if (letter == ',') {
            if (!text.starts_with(',')) break;
            text.remove_prefix(1);
        }
        field += letter;
    }
    return field;
}

}  // namespace

std::string dashed(std::string_view name) {
    return fmt::format("{}{}", name.size() == 1 ? "-" : "--", name);
}

std::string usage_of(const Operand& operand) {
    switch (operand.times) {
        case Times::once: return std::string{operand.name};
        case Times::at_most_once: return fmt::format("[{}]", operand.name);
        case Times::any: return fmt::format("[{}...]", operand.name);
    }
    return {};
}

std::span<const std::string> Arguments::all(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return {};
    return found->second;
}

Result<std::string> Arguments::one(std::string_view name, std::string_view otherwise) const {
    const auto values = all(name);
    if (values.size() > 1)
        return fail(Kind::invalid, "{} is given {} times", dashed(name), values.size());
    return values.empty() ? std::string{otherwise} : values.front();
}

std::string_view last_word(std::string_view name) {
    return name.substr(name.rfind(' ') + 1);
}

Result<Arguments> parse(const Verb& verb, std::span<char*> arguments) {
    auto parsed = Arguments{};
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const auto word = std::string_view{arguments[i]};
        if (!word.starts_with('-') || word == "-" || word == "--") {
            if (!takes_more(verb, parsed.operands_.size())) return surplus(verb, word);
            parsed.operands_.emplace_back(word);
            continue;
        }
        const auto equals = word.find('=');
        const auto shown = word.substr(0, equals);
        const auto* option = find_option(verb, shown);
        if (!option) return fail(Kind::invalid, "there is no option {}", shown);
        auto value = std::string{};
        if (equals != word.npos) {
            if (option->value.empty()) return fail(Kind::invalid, "{} takes no value", shown);
            value = word.substr(equals + 1);
        } else if (!option->value.empty()) {
            if (++i == arguments.size())
                return fail(Kind::invalid, "{} needs a value: {}", shown, option->value);
            value = arguments[i];
        }
        parsed.values_[std::string{option->name}].push_back(std::move(value));
    }
    const auto given = parsed.operands_.size();
    if (given < verb.operands.size() && verb.operands[given].times == Times::once)
        return fail(Kind::invalid, "{} is missing", verb.operands[given].name);
    return parsed;
}

std::string help_of(const Verb& verb) {
    auto usage = fmt::format("sheaf {}", verb.name);
    if (!verb.verbs.empty()) usage += verb.main ? " [VERB]" : " VERB";
    for (const auto& operand : verb.operands) usage += " " + usage_of(operand);
    const auto is_itself = verb.main || verb.verbs.empty();
    if (is_itself && !verb.options.empty()) usage += " [options]";
    auto text = fmt::format("sheaf {}: {}\n\nUsage: {}\n", verb.name, verb.summary, usage);
    for (const auto& operand : verb.operands)
        text += help_line(fmt::format("  {}", operand.name), operand.help);
    if (!verb.verbs.empty()) text += "\nVerbs:\n";
    for (const auto* below : verb.verbs)
        text += help_line(fmt::format("  {}", last_word(below->name)), below->summary);
    if (!verb.options.empty()) text += "\nOptions:\n";
    for (const auto& option : verb.options)
        text += help_line(fmt::format("  {} {}", dashed(option.name), option.value), option.help);
    if (!verb.details.empty()) text += fmt::format("\n{}\n", verb.details);
    text += fmt::format("\nExample:\n  {}\n", verb.example);
    return text;
}

Result<std::map<std::string, std::string, std::less<>>> parse_properties(
    std::string_view text, std::span<const std::string_view> keys) {
    auto properties = std::map<std::string, std::string, std::less<>>{};
    const auto whole = text;
    if (text.empty()) return fail(Kind::invalid, "it is empty");
    while (!text.empty()) {
        const auto field = take_field(text);
        const auto equals = field.find('=');
        auto key = field.substr(0, equals);
        if (std::ranges::find(keys, key) == keys.end())
            return fail(Kind::invalid, "unknown property \"{}\" in \"{}\" (known: {})", key, whole,
                        fmt::join(keys, ", "));
        auto value = equals == field.npos ? std::string{} : field.substr(equals + 1);
        if (!properties.emplace(std::move(key), std::move(value)).second)
            return fail(Kind::invalid, "a property is given twice in \"{}\"", whole);
    }
    return properties;
}

Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t least, std::uint64_t most) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size())
        return fail(Kind::invalid, "\"{}\" is not a number", text);
    if (number < least || number > most)
        return fail(Kind::invalid, "{} is not between {} and {}", number, least, most);
    return number;
}

Result<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t number = 0;
    const auto* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    auto suffix = std::string_view{end, last};
    if (error != std::errc{})
        return fail(Kind::invalid, "\"{}\" is not a size (for example 512M or 4G)", text);
    constexpr std::string_view letters = "KMGT";
    unsigned shift = 0;
    if (!suffix.empty()) {
        const auto power = letters.find(suffix.front());
        suffix.remove_prefix(1);
        if (power == letters.npos || (!suffix.empty() && suffix != "i" && suffix != "iB"))
            return fail(Kind::invalid, "\"{}\" is not a size (for example 512M or 4G)", text);
        shift = 10 * (static_cast<unsigned>(power) + 1);
    }
    const auto bytes = checked_multiply(number, std::uint64_t{1} << shift);
    if (!bytes) return fail(Kind::invalid, "{} is too large", text);
    return *bytes;
}

}  // namespace sheaf::cli
