#include <fmt/format.h>

#include "cli/manual.h"

namespace sheaf::cli {

namespace {

// Text as roff shows it as it is: a backslash and a dash have meanings, and so has a point or a
// quote that begins a line.
std::string escaped(std::string_view text) {
    std::string made;
    bool begins = true;
    for (const char letter : text) {
        if (begins && (letter == '.' || letter == '\'')) made += "\\&";
        begins = letter == '\n';
        if (letter == '\\') {
            made += "\\e";
        } else if (letter == '-') {
            made += "\\-";
        } else if (letter == '\'') {
            made += "\\(aq";
        } else if (letter == '^') {
            made += "\\(ha";
        } else if (letter == '~') {
            made += "\\(ti";
        } else {
            made += letter;
        }
    }
    return made;
}

// As it stands, line by line.
std::string verbatim(std::string_view text) {
    return fmt::format(".PP\n.nf\n.RS 4\n{}\n.RE\n.fi\n", escaped(text));
}

std::string entry(std::string_view left, std::string_view value, std::string_view help) {
    auto text = fmt::format(".TP\n\\fB{}\\fR", escaped(left));
    if (!value.empty()) text += fmt::format(" \\fI{}\\fR", escaped(value));
    return text + fmt::format("\n{}\n", escaped(help));
}

std::string synopsis(const Verb& verb) {
    auto text = fmt::format(".PP\n\\fBsheaf {}\\fR", escaped(verb.name));
    for (const auto& operand : verb.operands)
        text += fmt::format(" \\fI{}\\fR", escaped(usage_of(operand)));
    if (!verb.options.empty()) text += " [options]";
    return text + '\n';
}

std::string chapter(const Verb& verb) {
    auto text = fmt::format(".SS sheaf {}\n{}.\n", escaped(verb.name), escaped(verb.summary));
    if (verb.main) text += synopsis(verb);
    for (const auto& operand : verb.operands) text += entry(operand.name, {}, operand.help);
    for (const auto& option : verb.options)
        text += entry(dashed(option.name), option.value, option.help);
    if (!verb.details.empty()) text += fmt::format(".PP\n{}\n", escaped(verb.details));
    text += verbatim(verb.example);
    for (const auto* below : verb.verbs) text += chapter(*below);
    return text;
}

constexpr std::string_view ending = R"(.SH EXIT STATUS
.TP
.B 0
done; of a machine, that it powered off
.TP
.B 1
of a machine, that it crashed
.TP
.B 2
of a machine, that it was forced off
.TP
.B 64
the command line is wrong
.TP
.B 65
what was given is wrong, is not there, or is there already
.TP
.B 69
this host, or the daemon, cannot do it
.TP
.B 70
an error inside Sheaf
.SH FILES
.TP
.I /var/lib/sheaf
objects, and the pool with volumes and images
.TP
.I /run/sheaf/api.sock
where the daemon listens
.SH SEE ALSO
.BR kubectl (1),
.BR systemctl (1)
)";

}  // namespace

std::string manual_page(std::span<const Verb* const> verbs) {
    std::string text =
        ".TH SHEAF 1 \"\" \"Sheaf " SHEAF_VERSION
        "\" \"User commands\"\n"
        ".SH NAME\n"
        "sheaf \\- virtual machines, their disks and their networks\n"
        ".SH SYNOPSIS\n"
        ".B sheaf\n.I verb\n.RI [ options ]\n"
        ".SH DESCRIPTION\n"
        "Sheaf runs virtual machines on the kernel's KVM, keeps their disks, and serves an API of\n"
        "the shape of Kubernetes. All of it is this one program; what it does the verb says.\n"
        ".SH VERBS\n";
    for (const auto* verb : verbs) text += chapter(*verb);
    return text + std::string{ending};
}

}  // namespace sheaf::cli
