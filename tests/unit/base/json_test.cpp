#include "base/json.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace sheaf {
namespace {

enum class Cache { none, writeback };
BOOST_DESCRIBE_ENUM(Cache, none, writeback)

struct Disk {
    std::string path;
    Cache cache = Cache::none;
    std::optional<std::uint32_t> queues{};
    bool operator==(const Disk&) const = default;
};
BOOST_DESCRIBE_STRUCT(Disk, (), (path, cache, queues))

struct Machine {
    std::uint8_t cpus = 1;
    std::int64_t offset = 0;
    double weight = 1.5;
    bool paused = false;
    std::vector<Disk> disks;
    std::map<std::string, std::vector<std::string>> labels;
    std::optional<std::vector<std::map<std::string, int>>> nested{};
    bool operator==(const Machine&) const = default;
};
BOOST_DESCRIBE_STRUCT(Machine, (), (cpus, offset, weight, paused, disks, labels, nested))

struct Derived : Disk {
    int extra = 0;
    bool operator==(const Derived&) const = default;
};
BOOST_DESCRIBE_STRUCT(Derived, (Disk), (extra))

std::string refusal(std::string_view text) {
    const auto machine = decode<Machine>(text);
    if (machine) return "accepted";
    EXPECT_EQ(machine.error().kind(), Kind::invalid);
    return machine.error().text();
}

TEST(Json, AbsentFieldsKeepTheirDefaults) {
    EXPECT_EQ(decode<Machine>("{}").value(), Machine{});
}

TEST(Json, DecodesEveryKindOfField) {
    const auto machine = decode<Machine>(R"({
        "cpus": 255, "offset": -1, "weight": 2, "paused": true,
        "disks": [{"path": "a"}, {"path": "b", "cache": "writeback", "queues": 4}],
        "labels": {"zone": ["x", "y"], "": []}, "nested": [{"one": 1}]})");
    ASSERT_TRUE(machine) << machine.error().text();
    EXPECT_EQ(machine->cpus, 255);
    EXPECT_EQ(machine->offset, -1);
    EXPECT_EQ(machine->weight, 2.0);
    EXPECT_TRUE(machine->paused);
    ASSERT_EQ(machine->disks.size(), 2u);
    EXPECT_EQ(machine->disks[0], (Disk{.path = "a"}));
    EXPECT_EQ(machine->disks[1], (Disk{.path = "b", .cache = Cache::writeback, .queues = 4u}));
    EXPECT_EQ(machine->labels.at("zone"), (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(machine->nested.value().at(0).at("one"), 1);
}

TEST(Json, ErrorsNameThePlace) {
    EXPECT_EQ(refusal(R"({"disks":[{"cache":"wt"}]})"), "/disks/0/cache: unknown value \"wt\"");
    EXPECT_EQ(refusal(R"({"disks":[{},{"pth":"x"}]})"), "/disks/1/pth: unknown field");
    EXPECT_EQ(refusal(R"({"labels":{"a/b":["x",1]}})"),
              "/labels/a~1b/1: expected a string, not a number");
    EXPECT_EQ(refusal(R"({"nested":[{"k":1.5}]})"),
              "/nested/0/k: expected a whole number, not a number");
    EXPECT_EQ(refusal("[]"), "/: expected an object, not an array");
    EXPECT_EQ(refusal(R"({"paused":0})"), "/paused: expected a boolean, not a number");
    EXPECT_EQ(refusal(R"({"disks":{}})"), "/disks: expected an array, not an object");
}

TEST(Json, IntegersAreCheckedAgainstTheirRange) {
    EXPECT_EQ(refusal(R"({"cpus":256})"), "/cpus: 256 is not between 0 and 255");
    EXPECT_EQ(refusal(R"({"cpus":-1})"), "/cpus: -1 is not between 0 and 255");
    EXPECT_EQ(refusal(R"({"offset":9223372036854775808})"),
              "/offset: 9223372036854775808 is not between -9223372036854775808 and "
              "9223372036854775807");
    EXPECT_EQ(refusal(R"({"cpus":true})"), "/cpus: expected a whole number, not a boolean");
}

TEST(Json, UnknownAndDoubledFieldsAreRefused) {
    EXPECT_EQ(refusal(R"({"cpu":1})"), "/cpu: unknown field");
    EXPECT_EQ(refusal(R"({"cpus":1,"cpus":2})"), "/cpus: given twice");
    EXPECT_EQ(refusal(R"({"labels":{"a":[],"a":[]}})"), "/labels/a: given twice");
}

TEST(Json, NullIsForOptionalsOnly) {
    EXPECT_EQ(refusal(R"({"cpus":null})"), "/cpus: expected a whole number, not null");
    const auto disk = decode<Disk>(R"({"queues":null})");
    ASSERT_TRUE(disk);
    EXPECT_EQ(disk->queues, std::nullopt);
}

TEST(Json, WhatIsEncodedDecodesToTheSame) {
    auto machine = Machine{.cpus = 7, .offset = INT64_MIN, .weight = 0.1, .paused = true};
    machine.disks.push_back({.path = "quote\" \xc3\xa9 \n", .cache = Cache::writeback});
    machine.labels["x"] = {"1", ""};
    machine.nested = {{{"k", -3}}, {}};
    const auto text = encode(machine);
    EXPECT_EQ(decode<Machine>(text).value(), machine) << text;
}

TEST(Json, EncodingIsCompactInTheOrderOfTheDescription) {
    EXPECT_EQ(encode(Disk{.path = "p"}), R"({"path":"p","cache":"none"})");
    EXPECT_EQ(encode(Disk{.path = "p", .queues = 2u}), R"({"path":"p","cache":"none","queues":2})");
    EXPECT_EQ(encode(std::vector<std::optional<int>>{1, std::nullopt}), "[1,null]");
}

TEST(Json, FieldsOfABaseAreFieldsToo) {
    auto derived = Derived{};
    derived.path = "p";
    derived.extra = 3;
    EXPECT_EQ(encode(derived), R"({"path":"p","cache":"none","extra":3})");
    EXPECT_EQ(decode<Derived>(encode(derived)).value(), derived);
}

}  // namespace
}  // namespace sheaf
