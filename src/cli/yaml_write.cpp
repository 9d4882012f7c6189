#include "cli/yaml_write.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json_encode.h"
#include "base/utf8.h"
#include "cli/yaml_scalar.h"

namespace sheaf::cli {

namespace {

bool is_nested(const Json& value) {
    const auto* const elements = value.array();
    const auto* const members = value.object();
    return (elements && !elements->empty()) || (members && !members->empty());
}

std::uint32_t code_point(std::string_view letter) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(letter[at]); };
    if (letter.size() == 1) return byte(0);
    std::uint32_t point = byte(0) & (0x7fU >> letter.size());
    for (std::size_t i = 1; i < letter.size(); ++i) point = point << 6 | (byte(i) & 0x3fU);
    return point;
}

// Whether every reader takes the letter as it is: printable, and neither the end of a line nor a
// mark of the encoding (YAML 1.1, sections 5.1 and 5.4).
bool is_plain_letter(std::uint32_t point) {
    if (point < 0xa0) return point >= 0x20 && point < 0x7f;
    return point != 0x2028 && point != 0x2029 && point != 0xfeff && point != 0xfffe &&
           point != 0xffff;
}

std::string quoted(std::string_view text) {
    std::string json;
    json::encode_value(text, json);
    std::string made;
    for (std::string_view rest = json; !rest.empty();) {
        const auto letter = rest.substr(0, std::max<std::size_t>(utf8_length(rest), 1));
        const auto point = code_point(letter);
        made += is_plain_letter(point) ? std::string{letter} : fmt::format("\\u{:04x}", point);
        rest.remove_prefix(letter.size());
    }
    return made;
}

std::string word_of(std::string_view text) {
    return is_plain_string(text) ? std::string{text} : quoted(text);
}

// What a block shows as it is: lines of plain letters, the first of them not indented, with one
// newline at the end or none.
bool is_block(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (!text.contains('\n') || text.front() == ' ' || text.front() == '\n' || text.back() == '\n')
        return false;
    for (auto rest = text; !rest.empty();) {
        const auto length = utf8_length(rest);
        const auto letter = rest.substr(0, length);
        if (length == 0 || (letter != "\n" && !is_plain_letter(code_point(letter)))) return false;
        rest.remove_prefix(length);
    }
    return true;
}

class Writer {
  public:
    explicit Writer(std::string& out) : out_(out) {}

    void document(const Json& value, std::size_t indent) {
        if (is_nested(value)) return nested(value, indent, indent);
        out_ += std::string(indent, ' ');
        scalar(value, indent);
    }

  private:
    // Members or elements, each on lines of its own, the first of them after `before` spaces: none
    // where it stands behind a dash.
    void nested(const Json& value, std::size_t indent, std::size_t before) {
        if (const auto* members = value.object()) {
            for (const auto& [name, member] : *members) {
                out_ += std::string(before, ' ') + word_of(name) + ':';
                below(member, indent);
                before = indent;
            }
        }
        if (const auto* elements = value.array()) {
            for (const auto& element : *elements) {
                out_ += std::string(before, ' ') + "- ";
                before = indent;
                if (is_nested(element)) {
                    nested(element, indent + 2, 0);
                } else {
                    scalar(element, indent + 2);
                }
            }
        }
    }

    // Behind "name:". A list stands as far left as its name, as kubectl writes it.
    void below(const Json& value, std::size_t indent) {
        if (!is_nested(value)) {
            out_ += ' ';
            return scalar(value, indent + 2);
        }
        out_ += '\n';
        const auto inner = value.array() ? indent : indent + 2;
        nested(value, inner, inner);
    }

    void scalar(const Json& value, std::size_t indent) {
        const auto* text = value.string();
        if (text && is_block(*text)) return block(*text, indent);
        out_ += text ? word_of(*text) : value.text();
        out_ += '\n';
    }

    void block(std::string_view text, std::size_t indent) {
        out_ += text.ends_with('\n') ? "|\n" : "|-\n";
        if (text.ends_with('\n')) text.remove_suffix(1);
        while (true) {
            const auto line = text.substr(0, text.find('\n'));
            if (!line.empty()) out_ += std::string(std::max<std::size_t>(indent, 1), ' ');
            out_ += line;
            out_ += '\n';
            if (line.size() == text.size()) return;
            text.remove_prefix(line.size() + 1);
        }
    }

    std::string& out_;
};

}  // namespace

std::string to_yaml(const Json& value, std::size_t indent) {
    std::string out;
    Writer{out}.document(value, indent);
    return out;
}

}  // namespace sheaf::cli
