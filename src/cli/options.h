#pragma once

// Why: each verb describes itself once: its options, their help and an example. Parsing, --help,
// man page and completions (manual.h) all come from that description.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sheaf::cli {

struct Option {
    std::string_view name;   // without dashes; of one letter it is written with one dash
    std::string_view value;  // what its value is called in the help; empty for a flag
    std::string_view help;
};

// How often a word that is given by its place is given; whatever may be left out stands last.
enum class Times : std::uint8_t { once, at_most_once, any };

// A word that is given by its place.
struct Operand {
    std::string_view name;
    std::string_view help;
    Times times = Times::once;
};

struct Verb {
    std::string_view name;  // of a sub-verb with the verb before it: "volume create"
    std::string_view summary;
    std::span<const Option> options;
    std::string_view details;  // further paragraphs of the help, or empty
    std::string_view example;
    int (*main)(std::span<char*> arguments);  // none where there are sub-verbs alone
    std::span<const Operand> operands = {};
    // Its sub-verbs. A verb that has some, and main as well, is itself where options follow.
    std::span<const Verb* const> verbs = {};
};

// The values given for each option, in order; a flag has one empty value.
class Arguments {
  public:
    bool has(std::string_view name) const { return values_.contains(name); }
    const std::string& operand(std::size_t place) const { return operands_.at(place); }
    std::span<const std::string> operands() const { return operands_; }
    // All values of a repeatable option.
    std::span<const std::string> all(std::string_view name) const;
    // The value of an option that may be given once; `otherwise` where it was not.
    Result<std::string> one(std::string_view name, std::string_view otherwise = {}) const;

  private:
    friend Result<Arguments> parse(const Verb&, std::span<char*>);
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
    std::vector<std::string> operands_;
};

// Parses what follows the verb. `--name value` and `--name=value` are the same; operands and
// options may be mixed. Fails with invalid, naming the argument.
Result<Arguments> parse(const Verb& verb, std::span<char*> arguments);

std::string help_of(const Verb& verb);

// An option as it is typed, and an operand as a usage line has it.
std::string dashed(std::string_view name);
std::string usage_of(const Operand& operand);

// What a sub-verb is called behind its verb.
std::string_view last_word(std::string_view name);

// Splits "path=F,format=raw,readonly"; a comma inside a value is written twice. Fails with invalid
// on a key that is not in `keys` or given twice. A key without "=" has an empty value.
Result<std::map<std::string, std::string, std::less<>>> parse_properties(
    std::string_view text, std::span<const std::string_view> keys);

// A decimal number of [least, most].
Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t least, std::uint64_t most);

// Bytes: a number with K, M, G or T (powers of 1024), optionally followed by "i" or "iB"; MiB
// without a suffix is not assumed.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace sheaf::cli
