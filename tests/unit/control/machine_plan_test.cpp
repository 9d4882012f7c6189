#include "control/machine_plan.h"

#include <gtest/gtest.h>

namespace sheaf::control {
namespace {

Json instance(const char* domain) {
    auto spec = Json::object({{"domain", Json::parse(domain).value()}});
    return Json::object({{"spec", std::move(spec)}});
}

TEST(MachinePlan, ProcessorsAreWhatIsSaidOrWhatIsAskedFor) {
    const auto cpus = [](const char* domain) { return size_of_machine(instance(domain))->cpus; };
    EXPECT_EQ(cpus(R"({"memory":{"guest":"1Gi"}})"), 1u);
    EXPECT_EQ(cpus(R"({"memory":{"guest":"1Gi"},"cpu":{"cores":2,"sockets":3,"threads":2}})"), 12u);
    EXPECT_EQ(cpus(R"({"resources":{"requests":{"cpu":"1500m","memory":"1Gi"}}})"), 2u);
    EXPECT_EQ(cpus(R"({"resources":{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":4}}})"),
              1u);
    EXPECT_EQ(size_of_machine(instance(R"({"memory":{"guest":"1Gi"},"cpu":{"cores":255}})"))
                  .error()
                  .kind(),
              Kind::unsupported);
}

TEST(MachinePlan, MemoryIsWholePagesWithinBounds) {
    const auto memory = [](const char* domain) {
        return size_of_machine(instance(domain))->memory;
    };
    EXPECT_EQ(memory(R"({"memory":{"guest":"64Mi"}})"), 64_MiB);
    EXPECT_EQ(memory(R"({"memory":{"guest":"3000001"}})"), 3002368u);
    EXPECT_EQ(memory(R"({"resources":{"limits":{"memory":"1Gi"}}})"), 1_GiB);
    for (const auto* wrong :
         {R"({})", R"({"memory":{"guest":"1Mi"}})", R"({"memory":{"guest":"17Ti"}})"})
        EXPECT_FALSE(size_of_machine(instance(wrong))) << wrong;
}

TEST(MachinePlan, CapsAreThoseThatAreSaid) {
    const auto none = caps_of_machine(instance(R"({})"), 1_GiB);
    EXPECT_FALSE(none->cpu || none->memory);
    const auto caps = caps_of_machine(
        instance(R"({"resources":{"limits":{"cpu":"2500m","memory":"512Mi"}}})"), 1_GiB);
    EXPECT_EQ(caps->cpu, 2500u);
    EXPECT_GT(caps->memory.value(), 1_GiB) << "a guest is not killed for the memory it was given";
}

}  // namespace
}  // namespace sheaf::control
