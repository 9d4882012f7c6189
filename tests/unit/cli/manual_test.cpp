#include "cli/manual.h"

#include <array>

#include <gtest/gtest.h>

#include "cli/verbs.h"

namespace sheaf::cli {
namespace {

TEST(Manual, SaysWhatTheVerbsSay) {
    const auto page = manual_page(verbs());
    for (const auto* verb : verbs())
        EXPECT_NE(page.find(fmt::format(".SS sheaf {}\n", verb->name)), std::string::npos)
            << verb->name;
    EXPECT_NE(page.find("\\fB\\-\\-memory\\fR \\fISIZE\\fR"), std::string::npos);
}

// A point or a quote that begins a line would be a command of roff.
TEST(Manual, ShowsTextAsItIs) {
    static constexpr Verb odd = {.name = "odd",
                                 .summary = "a-b",
                                 .options = {},
                                 .details = ".so /etc/passwd\n'x \\fB",
                                 .example = "a",
                                 .main = nullptr};
    constexpr auto all = std::to_array<const Verb*>({&odd});
    const auto page = manual_page(all);
    EXPECT_NE(page.find("\\&.so /etc/passwd\n\\&\\(aqx \\efB"), std::string::npos) << page;
}

TEST(Completion, KnowsEveryVerb) {
    const auto script = bash_completion(verbs());
    EXPECT_NE(script.find("'volume create')"), std::string::npos);
    EXPECT_NE(script.find("-o) _sheaf_offer words json yaml name wide; return ;;"),
              std::string::npos);
    EXPECT_NE(script.find("--kernel) _sheaf_offer files; return ;;"), std::string::npos);
}

}  // namespace
}  // namespace sheaf::cli
