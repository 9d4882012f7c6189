#include "storage/pool/clone.h"

#include "storage/pool/name.h"
#include "storage/pool/volume_client.h"

namespace sheaf::pool {

namespace {

using Entries = std::vector<volume::LayerEntry>;

// An image is never written again, so what it holds can be frozen when it is first needed so.
constexpr auto content_of_image = "image";

class NoSink final : public ProgressSink {
  public:
    void progressed(const ControlProgress&) override {}
};

ControlRequest request_for(ControlVerb what, std::string name) {
    ControlRequest request;
    request.request = what;
    request.name = std::move(name);
    return request;
}

// An origin as it is reached; what its chain says holds until it is let go of.
class Source {
  public:
    static io::Task<std::unique_ptr<Source>> open(io::Loop& loop, const Pool& pool,
                                                  const Origin& origin);
    io::Task<Entries> chain(const Origin& origin);
    io::Task<void> let_go();

  private:
    explicit Source(io::Loop& loop) : loop_(loop) {}
    io::Task<VolumeStatus> have_done(ControlRequest request);

    io::Loop& loop_;
    NoUser user_;
    std::unique_ptr<OpenVolume> here_;
    std::optional<LineChannel> there_;
    Conversation conversation_;
};

io::Task<std::unique_ptr<Source>> Source::open(io::Loop& loop, const Pool& pool,
                                               const Origin& origin) {
    auto source = std::unique_ptr<Source>{new Source{loop}};
    auto reached = co_await reach(loop, pool, origin.shelf, origin.name, "volume create");
    source->there_ = std::move(reached.engine);
    if (reached.held)
        source->here_ =
            co_await OpenVolume::open(loop, pool, *std::move(reached.held), source->user_);
    co_return source;
}

io::Task<VolumeStatus> Source::have_done(ControlRequest request) {
    if (!there_)
        co_return co_await perform({loop_, here_->engine(), user_}, request, conversation_);
    NoSink sink;
    co_return co_await ask(*there_, std::move(request), sink);
}

io::Task<Entries> Source::chain(const Origin& origin) {
    auto name = origin.snapshot;
    if (origin.shelf == Shelf::images) {
        name = content_of_image;
        auto frozen = co_await have_done(request_for(ControlVerb::snapshot_create, name)).result();
        if (!frozen && frozen.error().kind() != Kind::exists) co_await std::move(frozen);
    }
    const auto status = co_await have_done(request_for(ControlVerb::chain, name));
    if (!status.chain || status.chain->empty())
        co_await fail(Kind::unavailable, "did not say what it is made of");
    Entries entries;
    for (const auto& text : *status.chain) entries.push_back(co_await parse_layer_entry(text));
    co_return entries;
}

io::Task<void> Source::let_go() {
    conversation_.pinned.reset();
    there_.reset();
    if (here_) co_await here_->shut_down();
}

io::Task<Entries> claim_chain(Source& source, const Holding& made, const Origin& origin) {
    const auto entries = co_await source.chain(origin);
    for (const auto& entry : entries) co_await made.claim(entry.id);
    co_return entries;
}

// The layers, with claims on them.
io::Task<Entries> claim_origin(io::Loop& loop, const Pool& pool, const Holding& made,
                               const Origin& origin) {
    const auto source = co_await Source::open(loop, pool, origin);
    auto claimed = co_await claim_chain(*source, made, origin).result();
    auto let_go = co_await source->let_go().result();
    auto entries = co_await std::move(claimed);
    co_await std::move(let_go);
    co_return entries;
}

}  // namespace

std::string Origin::text() const {
    const auto text = fmt::format("{} {}", noun_of(shelf), name);
    return snapshot.empty() ? text : text + ", snapshot " + snapshot;
}

io::Task<void> make_clone_content(io::Loop& loop, const Pool& pool, const Holding& made,
                                  NewVolume wanted, Origin origin) {
    auto claimed = co_await claim_origin(loop, pool, made, origin).result();
    if (!claimed)
        co_await told_of(fmt::format("{} {}", noun_of(origin.shelf), origin.name),
                         Error{claimed.error()});
    const auto size = claimed->back().size;
    if (wanted.size != 0 && wanted.size < size)
        co_await fail(Kind::invalid, "{} bytes are less than the {} of {}", wanted.size, size,
                      origin.text());
    if (wanted.size == 0) wanted.size = size;
    co_await make_content(loop, made, wanted, *std::move(claimed));
}

io::Task<void> create_clone(io::Loop& loop, const Pool& pool, NewVolume wanted, Origin origin) {
    co_await check_new_name(pool, wanted.name);
    auto made = co_await pool.begin(Shelf::volumes, "volume create");
    const auto name = wanted.name;
    auto outcome =
        co_await make_clone_content(loop, pool, made, std::move(wanted), std::move(origin))
            .result();
    co_await publish_or_discard(pool, made, name, std::move(outcome));
}

}  // namespace sheaf::pool
