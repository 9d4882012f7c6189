#include <set>

#include <fmt/format.h>

#include "cli/manual.h"

namespace sheaf::cli {

namespace {

// What an option's value may be: "a|b" as words; files where it is called so.
std::string value_words(const Option& option) {
    const auto value = option.value;
    if (value.find_first_of("=[,:/") != value.npos) return "files";
    if (value.contains("FILE") || value.contains("PATH") || value.contains("DIR")) return "files";
    if (!value.contains('|') || value.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != value.npos)
        return "none";
    std::string words;
    for (const char letter : value) words += letter == '|' ? ' ' : letter;
    return "words " + words;
}

void add_case(const Verb& verb, std::string& text) {
    std::string words;
    for (const auto* below : verb.verbs) words += fmt::format("{} ", last_word(below->name));
    for (const auto& option : verb.options) words += dashed(option.name) + ' ';
    text += fmt::format("        '{}')\n", verb.name);
    bool chooses = false;
    for (const auto& option : verb.options) {
        if (option.value.empty()) continue;
        if (!chooses) text += "            case $before in\n";
        chooses = true;
        text += fmt::format("                {}) _sheaf_offer {}; return ;;\n", dashed(option.name),
                            value_words(option));
    }
    if (chooses) text += "            esac\n";
    std::string operand = "none";
    if (!verb.operands.empty()) {
        const auto& name = verb.operands.front().name;
        if (name == "KIND") operand = "objects";
        if (name == "FILE" || name.contains("URL") || name == "PATH") operand = "files";
    }
    text += fmt::format("            if [[ $word != -* ]]; then _sheaf_operand {}; fi\n", operand);
    text += fmt::format("            _sheaf_add '{}--help' ;;\n", words);
    for (const auto* below : verb.verbs) add_case(*below, text);
}

// Options behind which stands a value, and no operand.
void add_valued(std::span<const Verb* const> verbs, std::set<std::string>& names) {
    for (const auto* verb : verbs) {
        for (const auto& option : verb->options)
            if (!option.value.empty()) names.insert(dashed(option.name));
        add_valued(verb->verbs, names);
    }
}

void add_names(std::span<const Verb* const> verbs, std::string& text) {
    for (const auto* verb : verbs) {
        text += fmt::format("{}'{}'", text.empty() ? "" : "|", verb->name);
        add_names(verb->verbs, text);
    }
}

constexpr std::string_view beginning =
    R"sh(# bash completion for sheaf; printed by "sheaf completion bash".
_sheaf_add() {
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$1" -- "$word")
}

_sheaf_offer() {
    case $1 in
        files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
        words) _sheaf_add "${*:2}" ;;
    esac
}

# The kinds, or the names of a kind's objects, as the daemon knows them.
_sheaf_operand() {
    case $1 in
        files) _sheaf_offer files ;;
        objects)
            if [ ${#operands[@]} = 0 ]; then
                _sheaf_add "$(sheaf kinds -o name 2>/dev/null)"
            else
                local names
                names=$(sheaf get "${operands[0]}" -o name 2>/dev/null)
                _sheaf_add "${names//*\//}"
            fi ;;
    esac
}

_sheaf() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb='' operands=() i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i-1]} in
)sh";

constexpr std::string_view middle = R"sh() continue ;;
        esac
        case ${verb:+$verb }${COMP_WORDS[i]} in
)sh";

constexpr std::string_view end_of_words = R"sh() verb=${verb:+$verb }${COMP_WORDS[i]} ;;
            *) case ${COMP_WORDS[i]} in -*) ;; *) operands+=("${COMP_WORDS[i]}") ;; esac ;;
        esac
    done
    case $verb in
)sh";

}  // namespace

std::string bash_completion(std::span<const Verb* const> verbs) {
    std::string names;
    add_names(verbs, names);
    std::string words;
    for (const auto* verb : verbs) words += fmt::format("{} ", verb->name);
    std::set<std::string> valued;
    add_valued(verbs, valued);
    const std::string indent(12, ' ');
    auto text = fmt::format("{}{}{}{}{}{}{}", beginning, indent, fmt::join(valued, "|"), middle,
                            indent, names, end_of_words);
    text += fmt::format("        '') _sheaf_add '{}--help --version' ;;\n", words);
    for (const auto* verb : verbs) add_case(*verb, text);
    return text + "    esac\n}\n\ncomplete -F _sheaf sheaf\n";
}

}  // namespace sheaf::cli
