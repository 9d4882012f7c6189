#include "api/machine_verbs.h"

#include <fmt/core.h>

#include "api/kinds.h"

namespace sheaf::api {

namespace {

using Refused = std::unexpected<Answer>;

// Somebody else was faster; with as many in a row something is wrong.
constexpr int most_tries = 16;

// What is to be changed: in the spec, or in the status.
struct Change {
    bool status = false;
    Json patch;
};
using Planned = std::expected<Change, Answer>;

std::string strategy_of(const Json& machine) {
    if (const auto strategy = machine.text_at({"spec", "runStrategy"}); !strategy.empty())
        return std::string{strategy};
    const auto* running = machine.at({"spec", "running"});
    return running && running->boolean() && *running->boolean() ? "Always" : "Halted";
}

bool is_final(const Json& instance) {
    const auto phase = instance.text_at({"status", "phase"});
    return phase == "Succeeded" || phase == "Failed";
}

bool is_there(const Json& instance) {
    return instance.object() && !is_final(instance);
}

Json request(std::string_view action, const Json* instance = nullptr) {
    auto made = Json::object({{"action", action}});
    if (instance) made["uid"] = instance->text_at({"metadata", "uid"});
    return made;
}

Change run_strategy(const Json& machine, bool running) {
    auto spec = Json::object({});
    if (machine.at({"spec", "runStrategy"})) {
        spec["runStrategy"] = running ? "Always" : "Halted";
    } else {
        spec["running"] = running;
    }
    return {false, Json::object({{"spec", std::move(spec)}})};
}

// A stop takes the place of what was asked for before; anything else waits for its end.
Planned ask_for(const Place& place, const Json& machine, Json::Array requests) {
    const auto* before = machine.at({"status", "stateChangeRequests"});
    const auto waits = before && before->array() && !before->array()->empty();
    const auto stops = requests.size() == 1 && requests.front().text_at({"action"}) == "Stop";
    if (waits && !stops)
        return Refused{
            conflict(place.subject(), "unable to complete request: stop/start already underway")};
    auto status = Json::object({{"stateChangeRequests", std::move(requests)}});
    return Change{true, Json::object({{"status", std::move(status)}})};
}

Planned plan_start(const Place& place, const Json& machine, const Json& instance) {
    const auto strategy = strategy_of(machine);
    const auto phase = instance.text_at({"status", "phase"});
    if (is_there(instance) && !phase.empty() && phase != "Unknown")
        return Refused{conflict(place.subject(), "VM is already running")};
    if (strategy == "Halted") return run_strategy(machine, true);
    if (strategy == "Always" || strategy == "Once")
        return Refused{conflict(place.subject(), strategy + " does not support manual start "
                                                            "requests")};
    if (strategy == "RerunOnFailure" && phase == "Failed")
        return Refused{conflict(place.subject(),
                                "RerunOnFailure does not support starting VM from failed state")};
    Json::Array requests;
    if (is_final(instance)) requests.push_back(request("Stop", &instance));
    requests.push_back(request("Start"));
    return ask_for(place, machine, std::move(requests));
}

Planned plan_stop(const Place& place, const Json& machine, const Json& instance) {
    const auto strategy = strategy_of(machine);
    if (strategy == "Always" || strategy == "Once") return run_strategy(machine, false);
    if (!is_there(instance)) return Refused{conflict(place.subject(), "VM is not running")};
    return ask_for(place, machine, {request("Stop", &instance)});
}

Planned plan_restart(const Place& place, const Json& machine, const Json& instance) {
    const auto strategy = strategy_of(machine);
    if (strategy == "Halted" || strategy == "Once")
        return Refused{conflict(place.subject(), fmt::format("RunStategy {} does not support "
                                                             "manual restart requests",
                                                             strategy))};
    if (!instance.object()) return Refused{conflict(place.subject(), "VM is not running")};
    return ask_for(place, machine, {request("Stop", &instance), request("Start")});
}

Planned plan(const MachineCall& call, const Json& machine, const Json& instance) {
    if (call.verb == "start") return plan_start(call.place(), machine, instance);
    if (call.verb == "stop") return plan_stop(call.place(), machine, instance);
    return plan_restart(call.place(), machine, instance);
}

std::expected<WriteOptions, Answer> options_of(const Json& options) {
    WriteOptions made;
    if (const auto* paused = options.find("paused");
        paused && paused->boolean() && *paused->boolean())
        return Refused{bad_request("a machine cannot be started paused")};
    const auto* dry = options.find("dryRun");
    made.dry_run = dry && dry->array() && !dry->array()->empty();
    return made;
}

// Of a stop, "gracePeriod"; of a restart, "gracePeriodSeconds".
std::expected<std::optional<std::int64_t>, Answer> grace_of(const MachineCall& call,
                                                            const Json& options) {
    const auto* name = call.verb == "stop" ? "gracePeriod" : "gracePeriodSeconds";
    const auto* given = options.find(name);
    if (!given || given->is_null()) return std::nullopt;
    const auto seconds = given->integer();
    if (!seconds || *seconds < 0)
        return Refused{bad_request(fmt::format("{} has to be greater or equal to 0", name))};
    return seconds;
}

Answer accepted() {
    return {.status = 202, .body = {}, .warnings = {}};
}

// What who runs the machine says.
Answer answer_of(const MachineCall& call, const Result<void>& done) {
    if (done) return accepted();
    const auto kind = done.error().kind();
    if (kind == sheaf::Kind::not_found || kind == sheaf::Kind::conflict ||
        kind == sheaf::Kind::unsupported)
        return conflict(call.place().subject(), done.error().text());
    return failure(done.error());
}

Result<void> nothing_runs() {
    return fail(sheaf::Kind::not_found, "VM is not running");
}

}  // namespace

struct MachineVerbs::State {
    Json machine;   // nothing where an instance is alone
    Json instance;  // nothing where there is none
};

io::Task<std::expected<MachineVerbs::State, Answer>> MachineVerbs::read(MachineCall call) {
    State state;
    const auto of_machine = call.kind == &virtual_machine_kind;
    if (of_machine) {
        const auto machine = co_await objects_.get(call.place());
        if (!machine.ok()) co_return Refused{machine};
        state.machine = co_await Json::parse(machine.body);
    }
    const Place place{&virtual_machine_instance_kind, call.name_space, call.name, false};
    const auto instance = co_await objects_.get(place);
    if (instance.ok()) {
        state.instance = co_await Json::parse(instance.body);
    } else if (!of_machine || instance.status != 404) {
        co_return Refused{instance};
    }
    co_return state;
}

io::Task<Answer> MachineVerbs::run(MachineCall call, std::string body) {
    auto options = body.empty() ? Json::object({}) : Json{};
    if (!body.empty()) {
        auto parsed = Json::parse(body);
        if (!parsed) co_return bad_request(parsed.error().text());
        options = *std::move(parsed);
    }
    if (call.kind == &virtual_machine_kind)
        co_return co_await change(std::move(call), std::move(options));
    co_return co_await act(std::move(call), std::move(options));
}

// What is decided is decided of a state, which is the condition of the change.
io::Task<Answer> MachineVerbs::change(MachineCall call, Json options) {
    const auto wanted = options_of(options);
    const auto grace = grace_of(call, options);
    if (!wanted) co_return wanted.error();
    if (!grace) co_return grace.error();
    for (int tries = 0; tries < most_tries; ++tries) {
        const auto state = co_await read(call);
        if (!state) co_return state.error();
        auto planned = plan(call, state->machine, state->instance);
        if (!planned) co_return planned.error();
        if (*grace && is_there(state->instance)) {
            auto spec = Json::object({{"terminationGracePeriodSeconds", **grace}});
            Patch shorter{PatchType::merge, Json::object({{"spec", std::move(spec)}})};
            const Place place{&virtual_machine_instance_kind, call.name_space, call.name, false};
            const auto answer = co_await objects_.patch(place, std::move(shorter), *wanted);
            if (!answer.ok() && answer.status != 404) co_return answer;
        }
        auto place = call.place();
        place.status = planned->status;
        Patch patch{PatchType::merge, std::move(planned->patch)};
        patch.document["metadata"] = Json::object(
            {{"resourceVersion", state->machine.text_at({"metadata", "resourceVersion"})}});
        const auto answer = co_await objects_.patch(place, std::move(patch), *wanted);
        if (answer.ok()) co_return accepted();
        if (answer.status != 409) co_return answer;
    }
    co_return conflict(call.place().subject(), "it is changed all the time; please try again");
}

io::Task<Answer> MachineVerbs::act(MachineCall call, Json options) {
    const auto wanted = options_of(options);
    if (!wanted) co_return wanted.error();
    const auto state = co_await read(call);
    if (!state) co_return state.error();
    if (state->instance.text_at({"status", "phase"}) != "Running" || !actions_)
        co_return answer_of(call, nothing_runs());
    if (wanted->dry_run) co_return accepted();
    MachineName machine{call.name_space, call.name,
                        std::string{state->instance.text_at({"metadata", "uid"})}};
    auto work = call.verb == "pause"     ? actions_->pause(std::move(machine))
                : call.verb == "unpause" ? actions_->unpause(std::move(machine))
                                         : actions_->soft_reboot(std::move(machine));
    const auto done = co_await std::move(work).result();
    co_return answer_of(call, done);
}

io::Task<MachineVerbs::Stream> MachineVerbs::open_console(MachineCall call) {
    const auto state = co_await read(call);
    if (!state) co_return Refused{state.error()};
    if (state->instance.text_at({"status", "phase"}) != "Running" || !actions_)
        co_return Refused{answer_of(call, nothing_runs())};
    MachineName machine{call.name_space, call.name,
                        std::string{state->instance.text_at({"metadata", "uid"})}};
    auto opened = co_await actions_->open_console(std::move(machine)).result();
    if (!opened) co_return Refused{answer_of(call, Result<void>{Failure{opened.error()}})};
    co_return *std::move(opened);
}

io::Task<std::expected<MachineVerbs::Log, Answer>> MachineVerbs::open_log(MachineCall call,
                                                                          LogOptions options) {
    const auto state = co_await read(call);
    if (!state) co_return Refused{state.error()};
    if (!actions_) co_return Refused{answer_of(call, nothing_runs())};
    const MachineName machine{call.name_space, call.name,
                              std::string{state->instance.text_at({"metadata", "uid"})}};
    Log log;
    if (options.follow && !is_final(state->instance)) {
        auto opened = co_await actions_->follow_log(machine, options.lines).result();
        if (opened) {
            log.stream = *std::move(opened);
            co_return log;
        }
        // It may have ended since.
        if (opened.error().kind() != sheaf::Kind::conflict)
            co_return Refused{answer_of(call, Result<void>{Failure{opened.error()}})};
    }
    auto text = co_await actions_->read_log(machine, options.lines).result();
    if (!text) co_return Refused{answer_of(call, Result<void>{Failure{text.error()}})};
    log.text = *std::move(text);
    co_return log;
}

}  // namespace sheaf::api
