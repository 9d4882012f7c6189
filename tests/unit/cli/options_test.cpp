#include "cli/options.h"

#include <array>

#include <gtest/gtest.h>

namespace sheaf::cli {
namespace {

constexpr auto options = std::to_array<Option>({
    {"kernel", "FILE", "the kernel"},
    {"disk", "PROPERTIES", "a disk"},
    {"quiet", "", "say less"},
});
const Verb verb = {.name = "test",
                   .summary = "for tests",
                   .options = options,
                   .details = {},
                   .example = "sheaf test",
                   .main = nullptr};

constexpr auto few_options = std::to_array<Option>({{"o", "FORMAT", "how"}, {"all", "", "more"}});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which"}, {"SIZE", "how large"}});
const Verb below = {.name = "test below",
                    .summary = "one of its verbs",
                    .options = few_options,
                    .details = {},
                    .example = "sheaf test below a 1G",
                    .main = nullptr,
                    .operands = operands};
const auto verbs_below = std::to_array<const Verb*>({&below});
const Verb above = {.name = "test",
                    .summary = "has verbs",
                    .options = {},
                    .details = {},
                    .example = "sheaf test below a 1G",
                    .main = nullptr,
                    .operands = {},
                    .verbs = verbs_below};

Result<Arguments> parse_words(std::vector<std::string> words, const Verb& as = verb) {
    auto pointers = std::vector<char*>{};
    for (auto& word : words) pointers.push_back(word.data());
    return parse(as, pointers);
}

TEST(Options, BothSpellingsOfAValue) {
    for (const auto& words :
         {std::vector<std::string>{"--kernel", "a=b"}, std::vector<std::string>{"--kernel=a=b"}})
        EXPECT_EQ(*parse_words(words)->one("kernel"), "a=b");
}

TEST(Options, RepeatsKeepTheirOrder) {
    const auto parsed = parse_words({"--disk", "one", "--quiet", "--disk", "two"});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->all("disk")[0], "one");
    EXPECT_EQ(parsed->all("disk")[1], "two");
    EXPECT_TRUE(parsed->has("quiet"));
    EXPECT_EQ(parsed->one("disk").error().text(), "--disk is given 2 times");
}

TEST(Options, MistakesAreNamed) {
    EXPECT_EQ(parse_words({"kernel"}).error().text(), "\"kernel\" is not an option");
    EXPECT_EQ(parse_words({"--kernle", "x"}).error().text(), "there is no option --kernle");
    EXPECT_EQ(parse_words({"--kernel"}).error().text(), "--kernel needs a value: FILE");
    EXPECT_EQ(parse_words({"--quiet=1"}).error().text(), "--quiet takes no value");
}

TEST(Operands, StandAnywhereBetweenOptions) {
    const auto parsed = parse_words({"-o", "json", "a", "--all", "1G"}, below);
    ASSERT_TRUE(parsed) << parsed.error().text();
    EXPECT_EQ(parsed->operand(0), "a");
    EXPECT_EQ(parsed->operand(1), "1G");
    EXPECT_EQ(*parsed->one("o"), "json");
    EXPECT_TRUE(parsed->has("all"));
}

TEST(Operands, MistakesAreNamed) {
    EXPECT_EQ(parse_words({"a"}, below).error().text(), "SIZE is missing");
    EXPECT_EQ(parse_words({"a", "1G", "b"}, below).error().text(), "\"b\" is one word too many");
    EXPECT_EQ(parse_words({"-x"}, below).error().text(), "there is no option -x");
    EXPECT_EQ(parse_words({"--o", "json"}, below).error().text(), "there is no option --o");
    EXPECT_EQ(parse_words({"-all"}, below).error().text(), "there is no option -all");
    EXPECT_EQ(parse_words({"a", "1G", "-o"}, below).error().text(), "-o needs a value: FORMAT");
    EXPECT_EQ(parse_words({"-o", "a", "-o", "b", "c", "d"}, below)->one("o").error().text(),
              "-o is given 2 times");
}

TEST(SubVerbs, HelpNamesThemAndWhatTheyTake) {
    EXPECT_EQ(last_word("test below"), "below");
    EXPECT_EQ(last_word("test"), "test");
    EXPECT_NE(help_of(above).find("Usage: sheaf test VERB\n"), std::string::npos);
    EXPECT_NE(help_of(above).find("  below"), std::string::npos);
    EXPECT_NE(help_of(below).find("Usage: sheaf test below NAME SIZE [options]\n"),
              std::string::npos);
    EXPECT_NE(help_of(below).find("  -o FORMAT"), std::string::npos);
}

TEST(Options, HelpNamesEveryOptionAndTheExample) {
    const auto help = help_of(verb);
    for (const auto& option : options)
        EXPECT_NE(help.find(fmt::format("--{}", option.name)), help.npos);
    EXPECT_NE(help.find("Example:\n  sheaf test"), help.npos);
}

TEST(Properties, AreSplitAtCommas) {
    constexpr auto keys = std::to_array<std::string_view>({"path", "readonly"});
    const auto properties = parse_properties("path=a,,b=c,readonly", keys);
    ASSERT_TRUE(properties);
    EXPECT_EQ(properties->at("path"), "a,b=c");
    EXPECT_EQ(properties->at("readonly"), "");
}

TEST(Properties, MistakesAreNamed) {
    constexpr auto keys = std::to_array<std::string_view>({"path"});
    EXPECT_EQ(parse_properties("paht=a", keys).error().text(),
              "unknown property \"paht\" in \"paht=a\" (known: path)");
    EXPECT_FALSE(parse_properties("path=a,path=b", keys));
    EXPECT_FALSE(parse_properties("", keys));
    EXPECT_FALSE(parse_properties("path=a,,", keys)->at("path") == "a");
}

TEST(Numbers, AreWholeAndInRange) {
    EXPECT_EQ(*parse_number("254", 1, 254), 254u);
    for (const auto* text : {"0", "255", "-1", "1x", "", " 1", "99999999999999999999"})
        EXPECT_FALSE(parse_number(text, 1, 254)) << text;
}

TEST(Sizes, TakePowersOf1024) {
    EXPECT_EQ(*parse_size("4096"), 4096u);
    EXPECT_EQ(*parse_size("512M"), 512u << 20);
    EXPECT_EQ(*parse_size("4GiB"), std::uint64_t{4} << 30);
    EXPECT_EQ(*parse_size("1Ti"), std::uint64_t{1} << 40);
    for (const auto* text : {"", "M", "1MB", "1m", "1.5G", "-1G", "99999999999T", "1G1"})
        EXPECT_FALSE(parse_size(text)) << text;
}

}  // namespace
}  // namespace sheaf::cli
