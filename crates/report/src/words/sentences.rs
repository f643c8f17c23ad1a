//! One sentence for each code of a fact, in English and Chinese, without its full stop.
//!
//! Each says what was found in the words of somebody who must defend it: counts with what they are of,
//! and nothing that the code does not hold.

/// Code, English, Chinese; `fill` in the module above explains the places.
pub(super) const SENTENCES: &[(&str, &str, &str)] = &[
    // Reasons of verdicts.
    (
        "witnessed",
        "{practices:practice speaks/practices speak} against it, in {sightings:sighting/sightings}, at {recipients:recipient/recipients}",
        "{practices:count} 种做法（{sightings:count} 次所见，涉及 {recipients:count} 个接收方）与之矛盾",
    ),
    (
        "nothing-seen",
        "nothing that speaks against it was seen in {tries:try/tries}",
        "在 {tries:count} 次尝试中没有发现与之矛盾的情况",
    ),
    (
        "undecided",
        "{practices:practice/practices} would speak against it if more were known: {why:why}",
        "{practices:count} 种做法若有更多信息可能与之矛盾：{why:why}",
    ),
    ("shown-to-work", "{action} succeeded {times:time/times}", "{action} 成功 {times:count} 次"),
    (
        "shown-without",
        "{action} succeeded {times:time/times} without the traffic that is said to be needed",
        "在没有所称必需的流量的情况下，{action} 成功 {times:count} 次",
    ),
    (
        "not-shown",
        "{action} was tried {tries:count} times and was not seen to succeed",
        "{action} 尝试 {tries:count} 次，未见成功",
    ),
    (
        "success-discounted",
        "a success of {action} in run {run} does not count: {why:why}",
        "测试 {run} 中 {action} 的成功不计入：{why:why}",
    ),
    (
        "failures-decide-nothing",
        "{action} failed in {tries:try/tries}; that it failed does not show that something is needed",
        "{action} 尝试 {tries:count} 次均失败；失败并不能证明某事必需",
    ),
    (
        "never-supported",
        "what is seen from outside can contradict what is said about {kind:term}, and never support it",
        "从外部观察可以反驳有关{kind:term}的说法，但永远无法证实",
    ),
    ("canary-returned", "{datum} came back: {about}, {how}", "{datum} 再次出现：{about}，{how}"),
    (
        "canary-too-early",
        "{datum} came back before the time that the claim allows: {how}",
        "{datum} 在声明所允许的时间之前再次出现：{how}",
    ),
    (
        "measured-excludes",
        "{measure} was measured as {low} to {high}, which excludes the claimed {claimed-low} to {claimed-high}",
        "{measure} 实测为 {low} 至 {high}，与所称的 {claimed-low} 至 {claimed-high} 不符",
    ),
    (
        "measured-includes",
        "{measure} was measured as {low} to {high}, inside the claimed {claimed-low} to {claimed-high}",
        "{measure} 实测为 {low} 至 {high}，在所称的 {claimed-low} 至 {claimed-high} 之内",
    ),
    (
        "measured-undecided",
        "{measure} was measured as {low} to {high}, which does not decide about the claimed {claimed-low} to {claimed-high}",
        "{measure} 实测为 {low} 至 {high}，不足以判断所称的 {claimed-low} 至 {claimed-high}",
    ),
    ("not-measured", "nobody measured {measure}", "没有测量 {measure}"),
    // Scope.
    ("in-scope", "{product} is what the claim speaks of (runs: {runs})", "{product} 属于声明所指（测试：{runs}）"),
    (
        "scope-unknown",
        "whether the claim speaks of {product} is not known: the case does not say {condition:term}",
        "无法得知声明是否适用于 {product}：案卷未注明{condition:term}",
    ),
    (
        "out-of-scope",
        "none of {runs:run/runs} tested what the claim speaks of",
        "{runs:count} 次测试均不涉及声明所指的产品",
    ),
    // Held.
    (
        "held",
        "the product had {held:count} of {planted:planted value/planted values} ({selector})",
        "产品确实掌握 {selector} 所指 {planted:count} 项植入数据中的 {held:count} 项",
    ),
    (
        "not-held",
        "nothing shows that the product had any of {planted:planted value/planted values} ({selector})",
        "没有任何迹象表明产品掌握 {selector} 所指的 {planted:count} 项植入数据",
    ),
    ("nothing-planted", "nothing was planted that is meant by {selector}", "没有植入 {selector} 所指的数据"),
    // Exercised.
    (
        "exercised",
        "{action} was done {done:time/times}, asked for: {wanted:count} (state: {state:any}; way: {variant:any})",
        "{action} 已执行 {done:count} 次，要求 {wanted:count} 次（状态：{state:any}；方式：{variant:any}）",
    ),
    (
        "exercise-missing",
        "{action} was done only {done:time/times}, asked for: {wanted:count} (state: {state:any}; way: {variant:any})",
        "{action} 仅执行 {done:count} 次，要求 {wanted:count} 次（状态：{state:any}；方式：{variant:any}）",
    ),
    ("no-exercise-stated", "the claim does not say what must be tried", "声明文件未写明需要检验哪些操作"),
    // Visible.
    (
        "read",
        "read: {records:record/records}, {sent:bytes} sent and {received:bytes} received",
        "已读取 {records:count} 条记录，送出 {sent:bytes}，收到 {received:bytes}",
    ),
    ("channel-missing", "{channel} was not recorded in run {run}", "测试 {run} 未录制 {channel}"),
    ("channel-recorded", "{channel} was recorded in run {run}", "测试 {run} 已录制 {channel}"),
    ("no-records", "run {run} has no records", "测试 {run} 没有记录"),
    ("storage-unread", "no stored file of {runs} was read", "未读取 {runs} 的任何存储文件"),
    (
        "starts-late",
        "nothing shows that the recording of run {run} began before the first action",
        "没有证据表明测试 {run} 的录制早于第一次操作",
    ),
    (
        "ends-early",
        "nothing shows that the recording of run {run} lasted until after the last action",
        "没有证据表明测试 {run} 的录制持续到最后一次操作之后",
    ),
    (
        "recording-shown",
        "run {run} recorded {canary}, which the tester asked for to see whether the recording works",
        "测试 {run} 录到了测试者为检验录制而发出的请求 {canary}",
    ),
    (
        "recording-not-shown",
        "run {run} did not record, or not readable, {canary}, which the tester asked for to see whether the recording works",
        "测试 {run} 未录到（或无法读取）测试者为检验录制而发出的请求 {canary}",
    ),
    (
        "dropped",
        "the recorder of run {run} dropped {packets:packet/packets}",
        "测试 {run} 的录制丢失了 {packets:count} 个数据包",
    ),
    (
        "drops-unknown",
        "whether the recorder of run {run} dropped packets is not known",
        "测试 {run} 的录制是否丢包不得而知",
    ),
    (
        "opaque",
        "{sent:bytes} sent to {recipient} in {times:connection/connections} could not be read: {reason:reason}",
        "送往 {recipient} 的 {sent:bytes}（{times:count} 个连接）未能读取：{reason:reason}",
    ),
    (
        "opaque-uncounted",
        "what was sent to {recipient} in {times:connection/connections} could not be read, and how much it was is not known: {reason:reason}",
        "送往 {recipient} 的内容（{times:count} 个连接）未能读取，数量不详：{reason:reason}",
    ),
    (
        "opaque-total",
        "{sent:bytes} of what was sent could not be read; the claim allows {limit:bytes}",
        "送出内容中有 {sent:bytes} 未能读取；声明文件允许 {limit:bytes}",
    ),
    (
        "opaque-protected",
        "{sent:bytes} sent could not be read and had the promised protection ({protection:term}), so they are no fault whatever they hold",
        "送出的 {sent:bytes} 未能读取，但具有所承诺的保护（{protection:term}），无论内容为何均不构成违背",
    ),
    (
        "opaque-other-apps",
        "{sent:bytes} that other apps sent could not be read; they are not the product's",
        "其他应用送出的 {sent:bytes} 未能读取，与被测产品无关",
    ),
    // Detectable.
    (
        "recovery",
        "of the values that this is about, hidden in copies of this evidence ({form:term}), {found:count} of {hidden:count} were found again; at least {at-least:share} is asked for",
        "将所涉数据隐藏在本证据副本中（{form:term}）共 {hidden:count} 项，找回 {found:count} 项；要求至少 {at-least:share}",
    ),
    (
        "recovery-low",
        "hidden in copies of this evidence ({form:term}), {datum} was found again only {found:count} of {hidden:count} times; at least {at-least:share} is asked for",
        "在本证据副本中隐藏 {datum}（{form:term}）共 {hidden:count} 次，仅找回 {found:count} 次；要求至少 {at-least:share}",
    ),
    (
        "not-spiked",
        "nobody measured whether the search finds all values that this is about in this evidence again ({form:term})",
        "没有测量搜索能否在本证据中找回所涉的全部数据（{form:term}）",
    ),
    // Positive control.
    (
        "control-seen",
        "the data was seen inside {action}, {sightings:count} times: the path works and can be seen",
        "在 {action} 中见到该数据 {sightings:count} 次：此途径有效且可见",
    ),
    (
        "control-missing",
        "the data was not seen inside {action}, where it should be: nothing shows that the path can be seen",
        "在本应出现的 {action} 中未见该数据：无法证明此途径可见",
    ),
    // Quiet time.
    (
        "quiet",
        "after the last action of run {run} the product was left alone for {seconds:count} s; {wanted:count} s are asked for",
        "测试 {run} 最后一次操作后静置 {seconds:count} 秒；要求 {wanted:count} 秒",
    ),
    (
        "quiet-short",
        "after the last action of run {run} the product was left alone for only {seconds:count} s; {wanted:count} s are asked for",
        "测试 {run} 最后一次操作后仅静置 {seconds:count} 秒；要求 {wanted:count} 秒",
    ),
    (
        "quiet-unknown",
        "no mark says how long the product was left alone in run {run}; {wanted:count} s are asked for",
        "测试 {run} 未标记静置时间；要求 {wanted:count} 秒",
    ),
    // Damage.
    (
        "damage",
        "{bytes:bytes} of the traffic with {recipient} are lost: {reason:reason}",
        "与 {recipient} 的流量丢失 {bytes:bytes}：{reason:reason}",
    ),
    ("damages-more", "and {number:further damage/further damages}", "另有 {number:count} 处损坏"),
    // Not vacuous.
    (
        "judged-transmissions",
        "judged: {practices:practice/practices} in {sightings:sighting/sightings}",
        "共评判 {practices:count} 种做法，{sightings:count} 次所见",
    ),
    ("vacuous", "nothing was transmitted that could have been judged", "没有可供评判的传输"),
    // Why a practice does not count against a claim.
    ("chance", "chance alone could explain it", "可能纯属巧合"),
    ("within-clock-error", "it happened within the clock error of a milestone", "发生在事件标记的时钟误差之内"),
    ("consent-unknown", "the run has no marks of consent", "该测试没有同意标记"),
    ("time-unknown", "it has no time", "没有时间信息"),
    ("other-state", "it happened in another consent state", "发生在其他同意状态下"),
    ("inside-action", "it happened inside {action}, which the claim allows", "发生在声明所允许的 {action} 之中"),
    ("received-not-sent", "the other side sent it, and was not seen to get it", "由对方发出，未见对方收到"),
    (
        "held-back",
        "the product sent it and the recorder's own guard stopped it on the way",
        "产品已发出，但被记录工具的守护在途中拦下",
    ),
    ("attempted-only", "the message was not seen to leave as a whole", "未见消息完整发出"),
    ("form-not-claimed", "the claim does not speak of this form: {form:term}", "声明不涉及此种形式：{form:term}"),
    ("recipient-unknown", "who or where {recipient} is, is not known", "{recipient} 是谁、位于何处不得而知"),
    ("country-unknown", "the country of {recipient} is not known", "{recipient} 所在国家未知"),
    ("protection-unknown", "the evidence does not say how it was protected", "证据未说明其保护方式"),
    ("other-app", "another app sent it: {app}", "由其他应用发送：{app}"),
    (
        "actor-unknown",
        "the value is not made up, and nothing says which app sent it",
        "该数据并非虚构，且无法得知由哪个应用发送",
    ),
    ("product-unknown", "whether the claim speaks of this product is not known", "无法得知声明是否适用于此产品"),
    ("variant-unknown", "in which way of doing the action it happened is not known", "无法得知发生于哪种操作方式"),
    ("keeping-unknown", "whether it is kept cannot be seen on its way", "传输途中无法看出是否被留存"),
    // Numbers.
    (
        "bound",
        "no hit in {tries:try/tries}: at 95 % confidence it happens in at most {percent} % of tries",
        "{tries:count} 次尝试均未出现：在 95 % 置信度下，每次出现的概率不超过 {percent} %",
    ),
    (
        "transfers",
        "of the sightings that speak against it {answered:count} were sent and answered, {sent:count} sent, {attempted:count} attempted, {kept:count} kept",
        "与之矛盾的所见中，已发送且获应答 {answered:count} 次，已发送 {sent:count} 次，尝试发送 {attempted:count} 次，已存储 {kept:count} 次",
    ),
    (
        "discounted",
        "not counted: {practices:practice/practices}, because {why:why}",
        "{practices:count} 种做法不计入：{why:why}",
    ),
    (
        "digest-space",
        "an unkeyed digest of {kind} hides it among {values:count} values; one core tries all in {seconds:count} s",
        "{kind} 的无密钥摘要仅有 {values:count} 种可能取值，单核 {seconds:count} 秒即可全部试完",
    ),
    (
        "intervention",
        "in run {run} the tester changed something: {what:term}",
        "测试 {run} 中测试者做了改动：{what:term}",
    ),
    (
        "share",
        "{hits:count} of {of:count}; at 95 % confidence between {low:share} and {high:share}",
        "{of:count} 中的 {hits:count}；95 % 置信区间为 {low:share} 至 {high:share}",
    ),
    ("readings-differ", "the readings of the claim do not get the same verdict", "对该声明的不同解读结论不一"),
    // What the tester can do.
    (
        "do-action",
        "do {action} {times:time/times} more (state: {state:any}; way: {variant:any})",
        "再执行 {action} {times:count} 次（状态：{state:any}；方式：{variant:any}）",
    ),
    ("state-exercise", "say in the claim file what must be tried", "在声明文件中写明需要检验的操作"),
    ("record-channel", "record {channel} too", "同时录制 {channel}"),
    (
        "record-canary",
        "record run {run} so that the tester's own request for {canary} is in it and can be read",
        "重新录制测试 {run}，使测试者自己发出的请求 {canary} 被录到并可读取",
    ),
    (
        "record-whole",
        "record run {run} from before the first action to after the quiet time",
        "完整录制测试 {run}：从第一次操作之前到静置结束之后",
    ),
    (
        "record-cleanly",
        "record run {run} without dropped packets or other damage",
        "重新录制测试 {run}，避免丢包及其他损坏",
    ),
    (
        "make-readable",
        "make readable what {recipient} gets: {reason:reason}",
        "使送往 {recipient} 的内容可读：{reason:reason}",
    ),
    ("plant", "plant data of the kind {selector} and mark when", "植入 {selector} 类数据并标记时间"),
    (
        "run-spike",
        "run dyetrace spike, to see which values are found again ({form:term}), and plant longer ones where they are not",
        "运行 dyetrace spike，查看哪些数据能够找回（{form:term}）；不能找回的，改为植入更长的数据",
    ),
    ("show-path", "do {action}, and see the data in it", "执行 {action} 并确认其中可见该数据"),
    (
        "wait",
        "leave the product alone for {seconds:count} s after the last action",
        "最后一次操作后静置 {seconds:count} 秒",
    ),
    (
        "describe-product",
        "say of {product} in case.yaml: {condition:term}",
        "在 case.yaml 中注明 {product} 的{condition:term}",
    ),
    ("cause-transmission", "make the product transmit the data at all", "设法使产品发送该数据"),
    ("read-storage", "collect and read the stored files that the claim speaks of", "收集并读取声明所指的存储文件"),
    ("identify-recipient", "find out who {recipient} is", "查明 {recipient} 的身份"),
    (
        "mark-consent",
        "mark consent in the run, or set the clocks more exactly",
        "在测试中标记同意情况，或更精确地校准时钟",
    ),
    ("measure", "measure {measure}", "测量 {measure}"),
    ("answer", "answer the question: {question}", "回答问题：{question}"),
    ("name-app", "find out which app sent it", "查明由哪个应用发送"),
    (
        "record-unguarded",
        "do it again without a guard: what it stops may or may not be sent",
        "不启用守护再做一次：被拦下的内容是否会送达尚不可知",
    ),
    ("look-at", "look at the practices that may speak against it: {why:why}", "检查可能与之矛盾的做法：{why:why}"),
    ("test-in-scope", "test a product that the claim speaks of", "测试声明所指的产品"),
    // Notes.
    (
        "action-not-in-case",
        "claim {claim} names the action {action}, which no run has",
        "声明 {claim} 提到操作 {action}，但没有任何测试包含它",
    ),
    // Exceptions.
    (
        "suppressed",
        "{findings:count} findings are suppressed until {expires}: {reason} (answered for by {who}, {place})",
        "{findings:count} 项发现在 {expires} 之前不计为失败：{reason}（负责人：{who}，{place}）",
    ),
    (
        "in-baseline",
        "{findings:count} of {of:count} contradictions were there before, by the baseline",
        "{of:count} 项矛盾中有 {findings:count} 项在基线中已有",
    ),
    (
        "suppression-expired",
        "the suppression in {place} expired on {expires} and does nothing on {date}",
        "{place} 中的例外已于 {expires} 到期，在 {date} 不起作用",
    ),
    (
        "suppression-unused",
        "the suppression in {place} covers nothing: remove it, or correct what it names",
        "{place} 中的例外没有对应任何发现：请删除，或更正其所指",
    ),
    (
        "suppression-undated",
        "the suppression in {place} does nothing, because the evidence has no date: give one with --date",
        "证据没有日期，{place} 中的例外不起作用：请用 --date 指定日期",
    ),
    (
        "cite-unconfirmed",
        "rule {rule} cites {cite}, whose wording was not confirmed: check it against the text",
        "规则 {rule} 引用的 {cite} 未经核对原文：请对照原文检查",
    ),
    (
        "answered-out",
        "rule {rule} does not apply: to the question {question} the answer is {answer}",
        "规则 {rule} 不适用：对问题 {question} 的回答为 {answer}",
    ),
    (
        "answer-unused",
        "the answer to {question} of rule {rule} is used by no rule that was judged",
        "对规则 {rule} 的问题 {question} 的回答未被任何已判定的规则使用",
    ),
    // Rules that rest on claims.
    (
        "no-own-claims",
        "the case has no claim of the maker of kind {kinds}, on which this rule rests",
        "本案没有该规则所依据的厂商声明（{kinds}）",
    ),
    (
        "own-claims",
        "it rests on {claims:claim/claims} of the maker, of kind {kinds}",
        "依据厂商的 {claims:count} 项声明（{kinds}）",
    ),
];
