// Runs every test there is: public static methods without parameters of the classes whose name ends in Tests. A word on the
// command line picks the tests whose name holds it.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Threading;

namespace Ssmtp.Tests
{
    internal static class Program
    {
        private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

        private static int Main(string[] args)
        {
            Console.WriteLine("libssmtp {0}", Ssmtp.Version);
            string wanted = args.Length > 0 ? args[0] : "";
            IEnumerable<MethodInfo> tests =
                from type in typeof(Program).Assembly.GetTypes()
                where type.IsPublic && type.Name.EndsWith("Tests", StringComparison.Ordinal)
                orderby type.Name
                from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
                where method.GetParameters().Length == 0
                select method;
            int passed = 0;
            int failed = 0;
            foreach (MethodInfo test in tests)
            {
                string name = test.DeclaringType.Name + "." + test.Name;
                if (name.IndexOf(wanted, StringComparison.Ordinal) < 0)
                {
                    continue;
                }
                Exception error = Run(name, test);
                if (error == null)
                {
                    passed++;
                    continue;
                }
                failed++;
                Console.WriteLine("FAILED {0}\n{1}\n", name, error);
            }
            Console.WriteLine("{0} passed, {1} failed", passed, failed);
            return failed == 0 && passed > 0 ? 0 : 1;
        }

        private static Exception Run(string name, MethodInfo test)
        {
            using (new Timer(_ => GiveUp(name), null, Longest, Timeout.InfiniteTimeSpan))
            {
                try
                {
                    var method = (Action)Delegate.CreateDelegate(typeof(Action), test);
                    method();
                    return null;
                }
                catch (Exception error)
                {
                    return error;
                }
            }
        }

        private static void GiveUp(string name)
        {
            Console.WriteLine("FAILED {0}: it hangs", name);
            Console.Out.Flush();
            Process.GetCurrentProcess().Kill();
        }
    }
}
