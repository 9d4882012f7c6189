#include <array>

#include "cli/cluster_access.h"
#include "cli/pool_verb.h"
#include "cli/volume.h"
#include "storage/replica/salvage.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"node", "NAME", "whose copy it goes on from"},
    {"yes", "", "do it; without this it is only said what that would cost"},
    kv_option,
    tls_cert_option,
    tls_key_option,
    tls_ca_option,
    insecure_option,
});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which volume"}});

io::Task<void> salvage_one(kv::Kv& store, std::string name, std::string node, bool agreed) {
    auto planned = co_await replica::plan_salvage(store, std::move(name), std::move(node));
    if (!agreed)
        co_await fail(Kind::conflict, "volume {}: nothing was done: {}; --yes goes on from it",
                      planned.volume, planned.cost);
    co_await replica::carry_out(store, std::move(planned));
}

Result<void> salvage(const Arguments& arguments) {
    auto node = TRY(arguments.one("node"));
    if (node.empty()) return fail(Kind::invalid, "--node is missing");
    const auto cluster = TRY(parse_cluster_options(arguments));
    const auto loop = TRY(io::make_loop());
    auto work = [&](ClusterAccess& access) {
        return salvage_one(access.store(), arguments.operand(0), node, arguments.has("yes"));
    };
    return io::run(*loop, with_cluster(*loop, cluster, std::move(work)));
}

int salvage_main(std::span<char*> arguments) {
    return main_of(volume_salvage_verb, arguments, salvage);
}

}  // namespace

constinit const Verb volume_salvage_verb = {
    .name = "volume salvage",
    .summary = "go on from one copy of a replicated volume, when the others are gone for good",
    .options = options,
    .details =
        "A volume with too few copies in sync waits for them, for ever. This says that they do "
        "not\n"
        "come back: it has the content of the copy of --node from now on, one copy is enough for\n"
        "it to be used, and other copies that are reached are made like it. Nothing is lost where\n"
        "that copy is RW in volume replicas; else what was written after it had left is. Without\n"
        "--yes it is said which, and nothing is changed.",
    .example = "sheaf volume salvage web --node b --kv etcd:https://10.0.0.9:2379 --yes",
    .main = salvage_main,
    .operands = operands,
};

}  // namespace sheaf::cli
