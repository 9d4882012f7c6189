#include "base/json_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>

#include "base/json_path.h"

namespace sheaf {

namespace {

using boost::json::error_code;
using json::Path;
using Text = boost::json::string_view;

// What the parser tells becomes a tree. Its members have the names that the parser calls.
class TreeBuilder {
  public:
    static constexpr std::size_t max_object_size = SIZE_MAX;
    static constexpr std::size_t max_array_size = SIZE_MAX;
    static constexpr std::size_t max_key_size = SIZE_MAX;
    static constexpr std::size_t max_string_size = SIZE_MAX;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_array_begin(error_code& stop) { return begin(JsonValue::Array{}, stop); }
    bool on_array_end(std::size_t, error_code&) { return end(); }
    bool on_object_begin(error_code& stop) { return begin(JsonValue::Object{}, stop); }
    bool on_object_end(std::size_t, error_code& stop) { return names_differ(stop) && end(); }
    bool on_key_part(Text part, std::size_t, error_code&) { return collect(part); }
    bool on_key(Text part, std::size_t, error_code&) {
        collect(part);
        open_.back().name = std::exchange(text_, {});
        return true;
    }
    bool on_string_part(Text part, std::size_t, error_code&) { return collect(part); }
    bool on_string(Text part, std::size_t, error_code&) {
        collect(part);
        return add(std::exchange(text_, {}));
    }
    bool on_number_part(Text, error_code&) { return true; }
    bool on_int64(std::int64_t number, Text, error_code&) { return add(number); }
    bool on_uint64(std::uint64_t number, Text, error_code&) { return add(number); }
    bool on_double(double number, Text digits, error_code& stop);
    bool on_bool(bool value, error_code&) { return add(value); }
    bool on_null(error_code&) { return add(nullptr); }
    bool on_comment_part(Text, error_code&) { return true; }
    bool on_comment(Text, error_code&) { return true; }

    std::optional<Failure> take_refusal() { return std::exchange(refusal_, std::nullopt); }
    JsonValue take() { return std::move(whole_); }

  private:
    // An array or object that has not ended yet.
    struct Open {
        JsonValue::Content content;
        std::string name{};  // of the member that comes next
    };

    bool begin(JsonValue::Content content, error_code& stop);
    bool end();
    bool add(JsonValue::Content content);
    bool names_differ(error_code& stop);
    bool collect(Text part) {
        text_.append(part.data(), part.size());
        return true;
    }
    bool refuse(Failure why, error_code& stop) {
        refusal_ = std::move(why);
        stop = boost::json::error::syntax;
        return false;
    }
    std::string place(const Path& path, std::size_t level, std::string_view name) const;

    std::vector<Open> open_;
    std::string text_;
    JsonValue whole_;
    std::optional<Failure> refusal_;
};

bool TreeBuilder::begin(JsonValue::Content content, error_code& stop) {
    open_.push_back({std::move(content)});
    if (open_.size() <= json_depth_limit) return true;
    return refuse(
        fail(Kind::invalid, "{}: nested deeper than {} levels", place({}, 0, {}), json_depth_limit),
        stop);
}

bool TreeBuilder::end() {
    auto content = std::move(open_.back().content);
    open_.pop_back();
    return add(std::move(content));
}

bool TreeBuilder::add(JsonValue::Content content) {
    auto value = JsonValue{std::move(content)};
    if (open_.empty()) {
        whole_ = std::move(value);
    } else if (auto* array = std::get_if<JsonValue::Array>(&open_.back().content)) {
        array->push_back(std::move(value));
    } else {
        std::get<JsonValue::Object>(open_.back().content)
            .emplace_back(std::move(open_.back().name), std::move(value));
    }
    return true;
}

bool TreeBuilder::names_differ(error_code& stop) {
    auto names = std::vector<std::string_view>{};
    for (const auto& [name, value] : std::get<JsonValue::Object>(open_.back().content))
        names.push_back(name);
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice == names.end()) return true;
    return refuse(fail(Kind::invalid, "{}: given twice", place({}, 0, *twice)), stop);
}

// The parser's own conversion is off by a unit in the last place now and then. What is too small to
// be told from zero is no error, what is too large is.
bool TreeBuilder::on_double(double number, Text digits, error_code& stop) {
    auto exact = 0.0;
    const auto read = std::from_chars(digits.begin(), digits.end(), exact).ec;
    if (read != std::errc{}) exact = number;
    const bool whole = digits.find_first_of(".eE") == Text::npos;
    if (std::isfinite(exact) && !whole) return add(exact);
    return refuse(fail(Kind::invalid, "not JSON: the number {} is out of range",
                       json::in_quotes({digits.data(), digits.size()})),
                  stop);
}

// Of what comes next in the innermost that is open, or of its member `name`.
std::string TreeBuilder::place(const Path& path, std::size_t level, std::string_view name) const {
    if (level == open_.size()) return path.text();
    const auto& here = open_[level];
    if (const auto* array = std::get_if<JsonValue::Array>(&here.content))
        return place(path.element(array->size()), level + 1, name);
    const bool innermost = level + 1 == open_.size();
    return place(path.member(innermost ? name : std::string_view{here.name}), level + 1, name);
}

}  // namespace

std::string_view JsonValue::type_name() const {
    constexpr auto names =
        std::to_array<std::string_view>({"null", "a boolean", "a number", "a number", "a number",
                                         "a string", "an array", "an object"});
    return names.at(content_.index());
}

Result<JsonValue> parse_json(std::string_view text) {
    auto options = boost::json::parse_options{};
    options.max_depth = json_depth_limit + 1;  // the builder refuses it, and says where
    auto parser = boost::json::basic_parser<TreeBuilder>{options};
    auto error = error_code{};
    const auto read = parser.write_some(false, text.data(), text.size(), error);
    if (auto refusal = parser.handler().take_refusal()) return *std::move(refusal);
    if (error) return fail(Kind::invalid, "not JSON: {} at byte {}", error.message(), read);
    const auto rest = text.substr(read);
    if (rest.find_first_not_of(" \t\r\n") != std::string_view::npos)
        return fail(Kind::invalid, "not JSON: more than one document, at byte {}", read);
    return parser.handler().take();
}

}  // namespace sheaf
