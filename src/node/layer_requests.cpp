#include "node/layer_requests.h"

#include <poll.h>

#include <array>

#include "base/json.h"
#include "node/control.h"
#include "node/descriptor_passing.h"
#include "storage/disk_file.h"

namespace sheaf::node {

namespace {

struct Reply {
    LayerAnswer answer;
    std::vector<Fd> descriptors;
};

Result<Reply> perform(const LayerRequest& request, const pool::Holding& holding) {
    const auto layer = TRY(pool::parse_id(request.layer));
    Reply reply;
    switch (request.verb) {
        case LayerVerb::create: {
            auto files = TRY(holding.make_layer(layer));
            reply.descriptors.push_back(std::move(files.map));
            reply.descriptors.push_back(std::move(files.data));
            break;
        }
        case LayerVerb::release: TRY(holding.release(layer)); break;
        case LayerVerb::shared: reply.answer.shared = TRY(holding.shared(layer)); break;
    }
    return reply;
}

Reply reply_to(std::string_view packet, const pool::Holding& holding) {
    const auto request = decode<LayerRequest>(packet);
    auto reply = request ? perform(*request, holding) : Result<Reply>{Failure{request.error()}};
    if (reply) return *std::move(reply);
    return {{std::string{to_string(reply.error().kind())}, reply.error().text(), false}, {}};
}

}  // namespace

// A request comes beside one end of a pair on which the answer goes back.
io::Task<KeeperLayers::Answer> KeeperLayers::ask(LayerVerb verb, volume::Id layer) {
    auto channel = co_await make_control_channel();
    const auto& mine = channel.first;
    const auto packet = encode(LayerRequest{verb, pool::to_text(layer)});
    const auto beside = channel.second.get();
    co_await send_with_descriptors(channel_.get(), packet, std::span{&beside, 1});
    channel.second.reset();
    co_await loop_.poll(mine.get(), POLLIN);
    auto received = co_await receive_with_descriptors(mine.get());
    if (received.packet.empty())
        co_await fail(Kind::unavailable, "the keeper gave no answer about a layer");
    const auto answer = co_await decode<LayerAnswer>(received.packet);
    if (!answer.kind.empty())
        co_await Failure{Error{parse_kind(answer.kind).value_or(Kind::io), answer.detail}};
    co_return Answer{answer.shared, std::move(received.descriptors)};
}

io::Task<volume::LayerFiles> KeeperLayers::create(volume::Id layer) {
    auto answer = co_await ask(LayerVerb::create, layer);
    if (answer.descriptors.size() != 2)
        co_await fail(Kind::io, "the keeper gave {} files of a layer", answer.descriptors.size());
    volume::LayerFiles files{};
    files.id = layer;
    files.map = std::move(answer.descriptors[0]);
    files.data = std::move(answer.descriptors[1]);
    files.data_size = co_await storage::size_of(files.data);
    co_return files;
}

io::Task<void> KeeperLayers::release(volume::Id layer) {
    static_cast<void>(co_await ask(LayerVerb::release, layer));
}

io::Task<bool> KeeperLayers::shared(volume::Id layer) {
    const auto answer = co_await ask(LayerVerb::shared, layer);
    co_return answer.shared;
}

io::Task<void> answer_layer_requests(io::Loop& loop, int channel, const pool::Holding& holding) {
    while (true) {
        co_await loop.poll(channel, POLLIN);
        auto request = co_await receive_with_descriptors(channel);
        if (request.packet.empty()) co_return;
        if (request.descriptors.size() != 1) continue;  // nowhere to answer to
        const auto reply = reply_to(request.packet, holding);
        std::array<int, 2> numbers{};
        for (std::size_t i = 0; i < reply.descriptors.size(); ++i)
            numbers.at(i) = reply.descriptors[i].get();
        // Who no longer waits for the answer needs none.
        static_cast<void>(
            send_with_descriptors(request.descriptors[0].get(), encode(reply.answer),
                                  std::span{numbers}.first(reply.descriptors.size())));
    }
}

}  // namespace sheaf::node
