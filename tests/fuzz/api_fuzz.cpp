// A client that says any bytes to the API over a store that has an object: as HTTP, as the body of
// each verb, as a patch, as selectors. Whoever asked hears an answer that is JSON, and nothing that
// is stored cannot be read back.

#include "api/kinds.h"
#include "api/patch.h"
#include "api/service.h"
#include "base/bytes.h"
#include "io/sim_loop.h"
#include "message.h"
#include "sim/sim_kv.h"

namespace sheaf::api {
namespace {

using test::check_message;
using test::require;

// A connection that hears.
class Ear final : public io::ByteStream {
  public:
    io::Task<std::size_t> receive(std::span<std::byte>) override {
        co_await fail(sheaf::Kind::unavailable, "nothing is said");
        co_return 0;
    }
    io::Task<void> send(std::span<const std::byte> bytes) override {
        heard_ += as_text(bytes);
        co_return;
    }
    bool is_broken() const override { return false; }
    const std::string& heard() const { return heard_; }

  private:
    std::string heard_;
};

struct World {
    io::SimLoop& loop;
    Service& service;
};

io::Task<void> ask(World world, http::ReceivedRequest request) {
    Ear ear;
    io::TaskGroup work;
    const http::Peer root{http::PeerCredentials{}, {}};
    std::string nothing_more;
    http::Exchange exchange{{world.loop, ear, root, nothing_more, std::chrono::seconds{1}, "now"},
                            std::move(request),
                            true,
                            work};
    co_await world.service.handle(exchange);
    static_cast<void>(co_await exchange.end().result());
    const auto body = ear.heard().find("\r\n\r\n");
    require(ear.heard().starts_with("HTTP/1.1 ") && body != std::string::npos);
}

http::ReceivedRequest request(std::string method, std::string target, std::string_view body,
                              std::string type = "application/json") {
    return {std::move(method),
            std::move(target),
            {{"Content-Type", std::move(type)}},
            std::string{body},
            false};
}

io::Task<void> ask_all(io::SimLoop& loop, kv::Kv& store, std::string_view said) {
    const HostClock clock;
    std::uint64_t count = 0;
    Objects objects{store, clock, [&count] { return ++count; }};
    const Logger logger{-1, LogLevel::error};
    Access access{{}, {}, logger};
    MetricsRegistry registry;
    Service service{{loop, objects, access, registry}};
    const World world{loop, service};
    co_await objects.ensure_namespace("default");
    const std::string secrets = "/api/v1/namespaces/default/secrets";
    const std::string machines = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";
    co_await ask(world, request("POST", secrets, R"({"metadata":{"name":"s"}})"));
    co_await ask(world, request("POST", secrets, said));
    co_await ask(world, request("POST", machines + "?fieldValidation=Warn", said));
    co_await ask(world, request("POST", secrets, said, "application/vnd.kubernetes.protobuf"));
    co_await ask(world, request("PUT", secrets + "/s", said));
    const std::string applied = secrets + "/s?fieldManager=f&force=true";
    co_await ask(world, request("PATCH", applied, said, "application/apply-patch+yaml"));
    for (const auto* type : {"application/json-patch+json", "application/merge-patch+json",
                             "application/strategic-merge-patch+json"})
        co_await ask(world, request("PATCH", secrets + "/s", said, type));
    co_await ask(world, request("GET", std::string{said}, {}));
    co_await ask(world, request("DELETE", secrets + "/s?dryRun=All", said));
    for (const auto* target : {"/api/v1/secrets", "/apis/kubevirt.io/v1/virtualmachines"}) {
        Ear ear;
        io::TaskGroup work;
        const http::Peer root{http::PeerCredentials{}, {}};
        std::string nothing_more;
        http::Exchange exchange{{loop, ear, root, nothing_more, std::chrono::seconds{1}, "now"},
                                request("GET", target, {}),
                                true,
                                work};
        co_await service.handle(exchange);
        require(ear.heard().starts_with("HTTP/1.1 200 "));
        const auto text = std::string_view{ear.heard()};
        require(Json::parse(text.substr(text.find("\r\n\r\n") + 4)).has_value());
    }
}

void check_selector(std::string_view said) {
    const auto selector = Selector::parse(event_kind, said, said);
    if (!selector) check_message(selector.error());
    const auto labels = Selector::parse(event_kind, said, {});
    if (labels) static_cast<void>(labels->selects(Json::object({})));
}

}  // namespace
}  // namespace sheaf::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace api = sheaf::api;
    const auto said = sheaf::as_text(std::as_bytes(std::span{data, size}));
    auto loop = sheaf::io::SimLoop::create(size).value();
    sheaf::sim::SimStore store{*loop};
    sheaf::sim::SimKv kv{*loop, store, 1};
    const auto asked = sheaf::io::run(*loop, api::ask_all(*loop, kv, said));
    api::require(asked.has_value());
    api::require(sheaf::io::run(*loop, store.shut_down()).has_value());
    api::check_selector(said);
    return 0;
}
