"""The one error of the WeChat channel, and the names of what WeChat's own numbers mean."""

from core.domain.errors import DomainError


class WeChatError(DomainError):
    """Anything that goes wrong between us and WeChat.

    Codes on the way in: `wechat_signature`, `wechat_cipher`, `wechat_app`, `wechat_malformed`,
    `wechat_too_large`.
    Codes on the way out: `wechat_unreachable` (surely not delivered), `wechat_no_answer` (perhaps delivered),
    `wechat_busy`, `wechat_token`, and those of `REFUSALS`; `fields["errcode"]` keeps WeChat's number.
    Set-up: `wechat_key`.
    """

    code = "wechat_error"

    @property
    def may_send_again(self) -> bool:
        """True where the message is known not to have been delivered and a later try can succeed."""
        return self.code in {"wechat_unreachable", "wechat_busy", "wechat_token"}


# errcode → (our code, what to tell the operator). Source: WeChat, global return codes.
REFUSALS: dict[int, tuple[str, str]] = {
    -1: ("wechat_busy", "微信系统繁忙，请稍后再发"),
    40001: ("wechat_token", "微信不认当前的 access_token，请检查 AppID 与 AppSecret"),
    40014: ("wechat_token", "微信不认当前的 access_token，请检查 AppID 与 AppSecret"),
    42001: ("wechat_token", "access_token 已过期，换新后仍不被接受"),
    40003: ("wechat_unknown_user", "这个 openid 不属于本公众号"),
    40013: ("wechat_credentials", "AppID 不正确，请检查通道配置"),
    40125: ("wechat_credentials", "AppSecret 不正确，请检查通道配置"),
    40164: ("wechat_credentials", "本机出口地址不在公众号的 IP 白名单中"),
    43004: ("wechat_unsubscribed", "对方已取消关注"),
    45002: ("wechat_too_long", "消息超过微信允许的长度"),
    45009: ("wechat_quota", "接口调用次数已达当日上限"),
    45011: ("wechat_quota", "接口调用太频繁，请稍后再试"),
    45015: ("wechat_window_closed", "对方超过 48 小时没有互动，不能再发客服消息"),
    45047: ("wechat_count_used_up", "这次互动可发的客服消息条数已用完"),
    48001: ("wechat_no_permission", "公众号没有客服消息接口的权限"),
}


def refusal(errcode: int) -> WeChatError:
    """The error for a non-zero `errcode` of an answer of WeChat."""
    code, message = REFUSALS.get(errcode, ("wechat_refused", "微信拒绝了这次请求"))
    return WeChatError(f"{message}（错误码 {errcode}）。", code=code, fields={"errcode": errcode})
